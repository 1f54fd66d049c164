/** The sample, through the program as users run it: every restore point gets its verdict, for its own reason, in plain words. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureSample, type RestorePointName, type Sample } from '../../fixtures/sample.js';
import type { CheckResult, RunDocument, VerificationRecord } from '../../src/types.js';

const CLI = 'dist/src/cli.js';

interface Expected {
  args: string[];
  exitCode: number;
  verdict: VerificationRecord['verdict'];
  observed: VerificationRecord['consistency']['observed'];
  /** What the first reason must say. */
  reason: RegExp;
  /** Ids of all checks that fail. */
  failing: string[];
}

/** The whole depth where it decides, the static one where that already must find it: the engine's own check takes a minute. */
const EXPECTED: Record<RestorePointName, Expected> = {
  paused: { args: [], exitCode: 0, verdict: 'passed', observed: 'crash', reason: /^All \d+ checks/, failing: [] },
  frozen: { args: ['--skip', 'postgresql/amcheck'], exitCode: 0, verdict: 'passed', observed: 'filesystem', reason: /^All \d+ checks/, failing: [] },
  skewed: {
    args: [],
    exitCode: 1,
    verdict: 'failed',
    observed: 'none',
    reason: /not captured at the same instant/,
    failing: ['postgresql/log-versus-pages', 'postgresql/recovery', 'postgresql/wal-chain'],
  },
  'torn-page': {
    args: ['--depth', 'static'],
    exitCode: 1,
    verdict: 'failed',
    observed: 'none',
    reason: /1 of \d+ pages are damaged, and the log holds no full image/,
    failing: ['postgresql/page-checksums'],
  },
  'other-instant': {
    args: ['--depth', 'static'],
    exitCode: 1,
    verdict: 'failed',
    observed: 'none',
    reason: /The data files are newer than the transaction log: \d+ of \d+ blocks/,
    failing: ['postgresql/log-versus-pages'],
  },
  'damaged-metadata': {
    args: ['--depth', 'static'],
    exitCode: 1,
    verdict: 'failed',
    observed: 'none',
    reason: /the ext4 on disk0\/p1 is damaged: e2fsck found damage/,
    failing: ['filesystem/consistency'],
  },
  truncated: {
    args: [],
    exitCode: 1,
    verdict: 'failed',
    observed: 'none',
    reason: /is cut off: it is \d+ bytes long/,
    failing: ['image/completeness', 'image/structure'],
  },
};

let sample: Sample;
let state: string;

beforeAll(async () => {
  sample = await ensureSample();
  state = await mkdtemp(join(tmpdir(), 'snapproof-e2e-'));
});

afterAll(() => rm(state, { recursive: true, force: true }));

describe('verify', () => {
  test.each(Object.entries(EXPECTED) as [RestorePointName, Expected][])('%s', async (name, expected) => {
    const { exitCode, stdout, stderr } = await execa('node', [CLI, 'verify', '--json', '--state', state, ...expected.args, sample.restorePoints[name]], {
      reject: false,
    });
    expect(exitCode, stderr).toBe(expected.exitCode);
    const [record] = (JSON.parse(stdout) as RunDocument).records as [VerificationRecord];
    expect(record.verdict).toBe(expected.verdict);
    expect(record.reasons[0]).toMatch(expected.reason);
    expect(record.consistency.observed).toBe(expected.observed);
    expect(idsOf(record.checks, 'fail')).toEqual(expected.failing);
    expect(idsOf(record.checks, 'error')).toEqual([]);
    expect(record.cleanup).toEqual({ complete: true, left: [] });
    if (name === 'paused') expectWholeCoverage(record);
  });

  test('leaves one record each in a ledger that verifies', async () => {
    const { stdout } = await execa('node', [CLI, 'ledger', 'verify', '--json', '--state', state]);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, count: Object.keys(EXPECTED).length });
  });
});

function idsOf(checks: CheckResult[], outcome: CheckResult['outcome']): string[] {
  return [...new Set(checks.filter((check) => check.outcome === outcome).map((check) => check.id))].sort();
}

/** A pass must rest on looks at everything: both databases, both volumes, recovery by the guest's own engine. */
function expectWholeCoverage(record: VerificationRecord): void {
  const passed = idsOf(record.checks, 'pass');
  for (const id of ['filesystem/consistency', 'postgresql/log-versus-pages', 'postgresql/recovery', 'postgresql/amcheck', 'sqlite/integrity-check']) {
    expect(passed).toContain(id);
  }
  expect(record.recovery.needed).toBe(true);
  expect(record.recovery.seconds).toBeGreaterThan(0);
  expect(record.coverage.untested.map((item) => item.what)).toContain('a cold boot from the disks');
  expect(record.inspection?.systems[0]?.hostname).toBe('sample-guest');
}
