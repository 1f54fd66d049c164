import { describe, expect, it } from 'vitest';
import { bringsBack, unaskedServices } from '../../src/runner/services.js';
import type { CheckResult, ExpectedService } from '../../src/types.js';

const SERVICES: ExpectedService[] = [
  { protocol: 'https', address: '10.0.0.5' },
  { name: 'the shop', protocol: 'tcp', port: 8080 },
  { protocol: 'ssh', required: false },
];
const result = (stage: CheckResult['stage'], outcome: CheckResult['outcome']) => ({ stage, outcome }) as CheckResult;

describe('services that the policy names', () => {
  it.each([[[]], [[result('static', 'pass')]], [[result('life', 'skip')]], [[result('life', 'error')]]])(
    'are untested when nothing asked them: %j',
    (checks) => {
      const untested = unaskedServices(SERVICES, checks);
      expect(untested.map(({ what, holdsData }) => [what, holdsData])).toEqual([
        ['service https at 10.0.0.5', true],
        ['service the shop', true],
      ]);
    },
  );

  it.each(['pass', 'fail'] as const)('are for the check that brought the guest back, when it says %s', (outcome) => {
    expect(unaskedServices(SERVICES, [result('life', 'skip'), result('life', outcome)])).toEqual([]);
  });

  it.each([
    ['static', false],
    ['recovery', false],
    ['boot', true],
    ['resume', true],
    ['full', true],
  ] as const)('can be asked at depth %s: %s', (depth, expected) => expect(bringsBack(depth)).toBe(expected));
});
