/** Services that the policy names, where a run does not come to asking them. */
import type { CheckResult, Depth, ExpectedService, UntestedItem } from '../types.js';
import { depthReaches } from './run-checks.js';

/** Whether the guest is started at this depth, and so could be asked. */
export function bringsBack(depth: Depth): boolean {
  return depthReaches(depth, 'boot') || depthReaches(depth, 'resume');
}

/** What must answer and was not asked is not proven. A check that brought the guest back says by itself what answered. */
export function unaskedServices(services: ExpectedService[], checks: CheckResult[]): UntestedItem[] {
  const asked = checks.some(({ stage, outcome }) => stage === 'life' && (outcome === 'pass' || outcome === 'fail'));
  const wanted = asked ? [] : services.filter(({ required }) => required !== false);
  return wanted.map(({ name, protocol, port, address }) => ({
    what: `service ${name ?? [protocol, port, address && `at ${address}`].filter(Boolean).join(' ')}`,
    why: 'the guest was not started, so it could not be asked: that needs the depth "boot", "resume" or "full"',
    holdsData: true,
  }));
}
