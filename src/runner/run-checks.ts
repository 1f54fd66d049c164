/** Runs the checks of one stage on all their targets. Only here are `skip` and `error` made. */
import type { Check, CheckContext, CheckTarget } from '../check.js';
import { InterruptedError, NotTestedError, SnapproofError } from '../errors.js';
import type { CheckResult, CheckStage, Depth, Inspection, Judgement, Policy } from '../types.js';
import { mapLimited } from './map-limited.js';

export interface StageRequest {
  stage: CheckStage;
  checks: Check[];
  targets: CheckTarget[];
  policy: Policy;
  /** How many checks of this stage may work at once. */
  concurrency: number;
  /** When set, nothing of this stage is run, for this reason. */
  blockedBy: string | null;
  context: Omit<CheckContext<unknown>, 'options'>;
}

/** What each depth does. The two ways back are independent of each other; `full` means all that apply. */
const REACHES: Record<Depth, Depth[]> = {
  static: ['static'],
  recovery: ['static', 'recovery'],
  boot: ['static', 'recovery', 'boot'],
  resume: ['static', 'recovery', 'resume'],
  full: ['static', 'recovery', 'boot', 'resume', 'full'],
};

export function depthReaches(wanted: Depth, needed: Depth): boolean {
  return REACHES[wanted].includes(needed);
}

/** `postgresql` selects the family, `postgresql/wal-chain` one check. */
export function isSelected(id: string, names: string[]): boolean {
  return names.some((name) => id === name || id.startsWith(`${name}/`));
}

export async function runStage(request: StageRequest): Promise<CheckResult[]> {
  const pairs = request.checks
    .filter((check) => check.stage === request.stage)
    .flatMap((check) => request.targets.filter((target) => target.kind === check.targetKind).map((target) => ({ check, target })));
  const results = await mapLimited(pairs, request.concurrency, ({ check, target }) => runOne(check, target, request));
  return results.filter((result) => result !== null);
}

async function runOne(check: Check, target: CheckTarget, request: StageRequest): Promise<CheckResult | null> {
  const { policy, context } = request;
  const inapplicable = check.skipReason(target, context.inspection);
  // A check of another engine has nothing to say here; a row for each would bury those that have.
  if (inapplicable !== null && isForeign(check, target)) return null;
  const left = leftOut(check, policy, request.blockedBy);
  if (inapplicable !== null) return skipped(check, target, inapplicable, null);
  // What the policy says must be true, and this run does not reach, is not proven; what it leaves out by name it does not want.
  if (left !== null) return skipped(check, target, left, { holdsData: target.kind === 'expectation' && isWanted(check, policy) });
  return judge(check, target, request);
}

function isForeign(check: Check, target: CheckTarget): boolean {
  if (target.kind === 'expectation' || target.kind === 'way') return true;
  return target.kind === 'instance' && check.id.split('/')[0] !== target.instance.engine;
}

function isWanted(check: Check, { only, skip }: Policy): boolean {
  return !isSelected(check.id, skip) && (only.length === 0 || isSelected(check.id, only));
}

function leftOut(check: Check, policy: Policy, blockedBy: string | null): string | null {
  if (policy.only.length > 0 && !isSelected(check.id, policy.only)) return 'left out: only other checks were asked for';
  if (isSelected(check.id, policy.skip)) return 'left out by the policy';
  if (!depthReaches(policy.depth, check.depth)) return `needs depth "${check.depth}", this run has "${policy.depth}"`;
  return blockedBy;
}

async function judge(check: Check, target: CheckTarget, request: StageRequest): Promise<CheckResult> {
  const startedAt = Date.now();
  const timeout = AbortSignal.timeout(check.timeoutMs);
  const signal = AbortSignal.any([request.context.signal, timeout]);
  const options = { ...(check.defaultOptions as object), ...request.policy.options[check.id] };
  try {
    const evidence = await untilAborted(check.collect(target, { ...request.context, depth: request.policy.depth, options, signal }), signal);
    return judged(check, target, check.evaluate(evidence, options), Date.now() - startedAt);
  } catch (error) {
    if (request.context.signal.aborted) throw new InterruptedError({ code: 'run.interrupted', message: 'the run was interrupted', cause: error });
    if (error instanceof NotTestedError) return skipped(check, target, explain(error), { holdsData: target.kind === 'expectation' });
    const why = timeout.aborted ? `it did not finish within ${Math.round(check.timeoutMs / 1000)} s` : explain(error);
    return { ...blank(check, target), outcome: 'error', summary: `could not be checked: ${why}`, durationMs: Date.now() - startedAt };
  }
}

/** A check that hears no signal must not hold the run. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function explain(error: unknown): string {
  if (error instanceof SnapproofError) return [error.message, error.advice].filter(Boolean).join(' ');
  return error instanceof Error ? error.message : String(error);
}

function blank(check: Check, target: CheckTarget): Omit<CheckResult, 'outcome' | 'summary'> {
  return {
    id: check.id,
    stage: check.stage,
    target: target.id,
    durationMs: 0,
    findings: [],
    required: true,
    advice: '',
    consistency: null,
    recovery: null,
    instanceState: null,
    way: null,
    tested: [],
    untested: [],
  };
}

/** @param listed null: it does not apply, so nothing is left untested. */
function skipped(check: Check, target: CheckTarget, reason: string, listed: { holdsData: boolean } | null): CheckResult {
  const untested = listed ? [{ what: `${check.id} on ${target.id}`, why: reason, ...listed }] : [];
  return { ...blank(check, target), outcome: 'skip', summary: reason, untested };
}

function judged(check: Check, target: CheckTarget, judgement: Judgement, durationMs: number): CheckResult {
  const { outcome, summary, findings, advice = '', consistency = null, recovery = null, instanceState = null, way = null, tested, untested } = judgement;
  return { ...blank(check, target), outcome, summary, durationMs, findings, advice, consistency, recovery, instanceState, way, tested, untested };
}

/** A snapshot of what was inspected before there is anything: image checks need none of it. */
export const NOTHING_INSPECTED: Inspection = { tables: [], volumes: [], systems: [], databases: [], unjudged: [], findings: [], untested: [] };
