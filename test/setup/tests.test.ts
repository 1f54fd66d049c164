import { describe, expect, it } from 'vitest';
import { tallyOf } from '../../src/setup/tests.mjs';

const file = (statuses: string[], status = 'passed') => ({
  name: '/project/test/x.test.ts',
  status,
  message: '',
  assertionResults: statuses.map((value, index) => ({
    status: value,
    fullName: `x ${index}`,
    meta: value === 'skipped' ? { skipReason: 'guestfish is not installed' } : {},
  })),
});

describe('tallyOf', () => {
  it('counts, and names what was skipped and why', () => {
    const tally = tallyOf({ testResults: [file(['passed', 'passed', 'failed', 'skipped', 'todo'], 'failed')] });
    expect(tally).toMatchObject({ passed: 2, failed: 1 });
    expect(tally.skipped).toHaveLength(2);
    expect(tally.skipped[0]).toContain('x 3 (guestfish is not installed)');
  });

  it('counts a file that could not be loaded as a failure', () => {
    expect(tallyOf({ testResults: [file([], 'failed')] })).toEqual({ passed: 0, failed: 1, skipped: [] });
  });
});
