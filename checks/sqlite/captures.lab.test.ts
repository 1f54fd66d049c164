/** No false alarm on databases captured in mid-write; SQLite's own integrity check is the ground truth. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judgeStatic, type StaticJudgement } from './testing/judge-all.js';
import { groundTruth, missingProgram } from './testing/sqlite-program.js';
import { LoadedDatabase, type Workload } from './testing/writer.js';

const PAGE_SIZES = [512, 1024, 4096, 8192, 16384, 32768, 65536];
const VACUUM = ['none', 'full', 'incremental'] as const;
const ENCODINGS = ['UTF-8', 'UTF-16le', 'UTF-16be'] as const;
/** Raise it to look for rare states: SNAPPROOF_CAPTURES=50. */
const CAPTURES_EACH = Number(process.env.SNAPPROOF_CAPTURES ?? 4);

const folder = mkdtempSync(join(tmpdir(), 'snapproof-captures-'));
beforeAll(() => expect(missingProgram()).toBeNull());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function workload(journalMode: Workload['journalMode'], seed: number): Workload {
  return {
    journalMode,
    pageSize: PAGE_SIZES[seed % PAGE_SIZES.length] ?? 4096,
    autoVacuum: VACUUM[seed % VACUUM.length] ?? 'none',
    encoding: ENCODINGS[Math.floor(seed / 2) % ENCODINGS.length] ?? 'UTF-8',
    seed: seed * 101,
  };
}

/** What was met on the way, so that a run without any interesting state is noticed. */
const seen = {
  captures: 0,
  walsWithFrames: 0,
  walsEndingEarly: 0,
  laterCommits: 0,
  hotJournals: 0,
  journalPages: 0,
  spilledSegments: 0,
  findings: new Set<string>(),
};

async function judgeCaptures(load: Workload, writers: number, into: string): Promise<string[]> {
  mkdirSync(into);
  const loaded = await LoadedDatabase.start(join(into, 'live.db'), load, writers);
  const alarms: string[] = [];
  try {
    for (let i = 0; i < CAPTURES_EACH; i++) {
      await sleep(60 + ((load.seed * 31 + i * 97) % 400));
      const path = await loaded.capture(into, `capture${i}.db`);
      const truth = groundTruth(path);
      const judged = await judgeStatic(path);
      note(judged);
      if (truth !== 'ok' || judged.failed) alarms.push(`${i}: SQLite says ${truth.slice(0, 80)}; ${judged.structure.summary}; ${judged.wal.summary}`);
    }
  } finally {
    await loaded.stop();
  }
  return alarms;
}

function note({ evidence, codes }: StaticJudgement): void {
  const { wal, journal } = evidence;
  seen.captures++;
  if (wal && wal.committedFrames > 0) seen.walsWithFrames++;
  if (wal?.brokenFrame) seen.walsEndingEarly++;
  if (wal && wal.laterCommits > 0) seen.laterCommits++;
  if (journal?.rolledBack) seen.hotJournals++;
  if (journal?.rolledBack && evidence.pages && evidence.pages.fromJournal > 0) seen.journalPages++;
  if (journal && journal.segments > 1) seen.spilledSegments++;
  for (const code of codes) seen.findings.add(code);
}

describe('captures in WAL mode', () => {
  it.each([0, 1, 2, 3, 4, 5, 6])('workload %i raises no alarm', async (seed) => {
    expect(await judgeCaptures(workload('wal', seed), 1 + (seed % 2), join(folder, `wal${seed}`))).toEqual([]);
  });
});

describe('captures with a rollback journal', () => {
  it.each([0, 1, 2, 3, 4, 5, 6])('workload %i raises no alarm', async (seed) => {
    const mode = (['delete', 'persist', 'truncate'] as const)[seed % 3] ?? 'delete';
    expect(await judgeCaptures(workload(mode, seed + 2), 1, join(folder, `journal${seed}`))).toEqual([]);
  });
});

it('met transactions in flight in both modes', () => {
  process.stdout.write(`${JSON.stringify({ ...seen, findings: [...seen.findings] })}\n`);
  expect(seen.walsWithFrames).toBeGreaterThan(0);
  expect(seen.hotJournals).toBeGreaterThan(0);
});
