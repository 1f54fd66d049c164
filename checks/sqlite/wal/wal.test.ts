/** Damages logs that SQLite wrote, and sees which damage is normal and which is a loss. */
import { existsSync, mkdtempSync, rmSync, statSync, truncateSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { FRAME_HEADER_BYTES, WAL_HEADER_BYTES } from '../format/wal.js';
import { judgeStatic } from '../testing/judge-all.js';
import { addRows, copyDatabase, damage, openSample, truthOf } from '../testing/sample.js';
import check from './index.js';

const FRAME = FRAME_HEADER_BYTES + 1024;
const folder = mkdtempSync(join(tmpdir(), 'snapproof-wal-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let copies = 0;
const newPath = () => join(folder, `wal${copies++}.db`);

/** A database in use, with three transactions in its log; captured before it is closed. */
function capturedInUse(): string {
  const live = newPath();
  const database = openSample(live, { journalMode: 'wal' });
  database.pragma('wal_checkpoint(TRUNCATE)');
  for (const seed of [2, 3, 4]) addRows(database, 60, seed);
  const path = newPath();
  copyDatabase(live, path);
  database.close();
  return path;
}

const frameAt = (number: number) => WAL_HEADER_BYTES + (number - 1) * FRAME;

describe('a write-ahead log', () => {
  let path = '';
  let frames = 0;
  beforeEach(() => {
    path = capturedInUse();
    frames = Math.floor((statSync(`${path}-wal`).size - WAL_HEADER_BYTES) / FRAME);
  });

  it('passes as captured, with the recovery it needs', async () => {
    const judged = await judgeStatic(path);
    expect(judged.codes).toEqual([]);
    expect(judged.evidence.wal).toMatchObject({ commits: 3, committedFrames: frames });
    expect(judged.wal).toMatchObject({ outcome: 'pass', consistency: { level: 'filesystem' }, recovery: { needed: true, bytes: frames * 1024 } });
  });

  it('fails with a hole in its middle, with and without the index beside it', async () => {
    damage(`${path}-wal`, (bytes) => bytes.fill(0, frameAt(5), frameAt(8)));
    expect(await judgeStatic(path)).toMatchObject({ codes: expect.arrayContaining(['sqlite.wal.hole']), wal: { instanceState: 'lost-tail' } });
    unlinkSync(`${path}-shm`);
    expect((await judgeStatic(path)).codes).toContain('sqlite.wal.hole');
  });

  it('fails with one bit changed in its last transaction', async () => {
    damage(`${path}-wal`, (bytes) => {
      bytes[frameAt(frames - 3) + 500] = (bytes[frameAt(frames - 3) + 500] ?? 0) ^ 1;
    });
    expect((await judgeStatic(path)).wal.findings).toMatchObject([{ code: 'sqlite.wal.hole', severity: 'critical' }, { code: 'sqlite.wal.tail-lost' }]);
  });

  it('passes when it was cut inside a transaction: that is how an unfinished one looks', async () => {
    truncateSync(`${path}-wal`, frameAt(frames - 2) + 300);
    unlinkSync(`${path}-shm`);
    const judged = await judgeStatic(path);
    expect(judged).toMatchObject({ failed: false, codes: [] });
    expect(judged.evidence.wal?.commits).toBe(2);
  });

  it('warns when the index knew transactions that the log has not', async () => {
    truncateSync(`${path}-wal`, frameAt(frames - 2) + 300);
    expect((await judgeStatic(path)).wal).toMatchObject({ outcome: 'pass', findings: [{ code: 'sqlite.wal.tail-lost', severity: 'warning' }] });
  });

  it('fails when frames that were copied into the database are gone from the log', async () => {
    const first = Math.floor(frames / 3);
    damage(`${path}-shm`, (bytes) => void bytes.writeUInt32LE(frames, 96));
    truncateSync(`${path}-wal`, frameAt(first));
    expect(await judgeStatic(path)).toMatchObject({ codes: expect.arrayContaining(['sqlite.wal.behind-database']), wal: { instanceState: 'non-atomic' } });
  });

  it('fails when its header is destroyed', async () => {
    damage(`${path}-wal`, (bytes) => bytes.fill(0, 0, 32));
    expect(await judgeStatic(path)).toMatchObject({ codes: expect.arrayContaining(['sqlite.wal.header']), wal: { instanceState: 'lost-tail' } });
  });

  it('fails when it is missing although the database was in use', async () => {
    unlinkSync(`${path}-wal`);
    expect(await judgeStatic(path)).toMatchObject({ codes: expect.arrayContaining(['sqlite.wal.missing']), wal: { instanceState: 'lost-tail' } });
  });

  it('warns when it is missing and nothing says that the database was in use', async () => {
    unlinkSync(`${path}-wal`);
    unlinkSync(`${path}-shm`);
    expect((await judgeStatic(path)).wal).toMatchObject({ outcome: 'pass', findings: [{ code: 'sqlite.wal.absent', severity: 'warning' }] });
    expect((await judgeStatic(path, 'clean')).codes).toEqual([]);
  });

  it('is judged in bounded time when the file claims a terabyte', async () => {
    truncateSync(path, 2 ** 40);
    truncateSync(`${path}-wal`, 2 ** 40);
    const judged = await judgeStatic(path);
    expect(judged.evidence.wal?.commits).toBe(3);
    expect(judged.wal.untested).toMatchObject([{ holdsData: false }]);
  });

  it('fails when the database file is empty', async () => {
    truncateSync(path, 0);
    expect(await judgeStatic(path)).toMatchObject({ codes: expect.arrayContaining(['sqlite.wal.no-database']), wal: { instanceState: 'damaged' } });
  });
});

describe('a hole that healthy histories look like', () => {
  async function holeWithIndex(lastFrame: number, laterCommits: number) {
    const path = capturedInUse();
    damage(`${path}-wal`, (bytes) => bytes.fill(7, frameAt(5) + 100, frameAt(5) + 200));
    const { evidence } = await judgeStatic(path);
    const { wal, walIndex } = evidence;
    if (!wal || !walIndex) throw new Error('the sample has no log');
    return check.evaluate({ ...evidence, wal: { ...wal, laterCommits }, walIndex: { ...walIndex, lastFrame, copiedBack: 0 } }, check.defaultOptions);
  }

  it('only warns about a commit whose sums are being rewritten', async () => {
    expect(await holeWithIndex(0, 1)).toMatchObject({ outcome: 'pass', findings: [{ code: 'sqlite.wal.end-doubtful', severity: 'warning' }] });
  });

  it('fails when the index knew what is behind', async () => {
    expect((await holeWithIndex(80, 1)).outcome).toBe('fail');
  });
});

describe('a log of another instant', () => {
  /** Two processes take turns, so the change counter advances; `at` gives the capture after so many turns. */
  function captureAfterTurns(turns: number[]): string[] {
    const live = newPath();
    openSample(live, { journalMode: 'wal' }).close();
    const keeper = new Database(live);
    keeper.pragma('wal_autocheckpoint=0');
    keeper.prepare('SELECT count(*) FROM entry').get();
    const paths: string[] = [];
    for (let turn = 1; turn <= Math.max(...turns); turn++) {
      const writer = new Database(live);
      writer.pragma('wal_autocheckpoint=0');
      addRows(writer, 200, turn + 5);
      if (turn % 2 === 0) writer.pragma('wal_checkpoint(RESTART)');
      writer.close();
      if (turns.includes(turn)) {
        const path = newPath();
        copyDatabase(live, path);
        paths.push(path);
      }
    }
    keeper.close();
    return paths;
  }

  it('fails in both directions', async () => {
    const [early = '', late = ''] = captureAfterTurns([3, 9]);
    expect((await judgeStatic(early)).codes).toEqual([]);
    expect((await judgeStatic(late)).codes).toEqual([]);
    const olderLog = newPath();
    copyDatabase(late, olderLog, ['']);
    copyDatabase(`${early}-wal`, `${olderLog}-wal`, ['']);
    expect((await judgeStatic(olderLog)).failed).toBe(true);
    expect(await judgeStatic(olderLog)).toMatchObject({ codes: expect.arrayContaining(['sqlite.wal.older']), wal: { instanceState: 'non-atomic' } });
    const newerLog = newPath();
    copyDatabase(early, newerLog, ['']);
    copyDatabase(`${late}-wal`, `${newerLog}-wal`, ['']);
    expect((await judgeStatic(newerLog)).failed).toBe(true);
    expect(await judgeStatic(newerLog)).toMatchObject({ codes: expect.arrayContaining(['sqlite.wal.newer']), wal: { instanceState: 'non-atomic' } });
  });
});

describe('a rollback journal', () => {
  /** A transaction that has spilled changed pages into the file, captured before it ends. */
  function capturedInTransaction(): string {
    const live = newPath();
    const database = openSample(live, { rows: 600 });
    database.pragma('cache_size=5');
    database.pragma('cache_spill=5');
    database.exec('BEGIN; UPDATE entry SET amount = amount + 1, name = name || 1; DELETE FROM pair WHERE v % 3 = 0');
    const path = newPath();
    copyDatabase(live, path);
    database.exec('ROLLBACK');
    database.close();
    return path;
  }

  it('is rolled back, and the database under it is whole', async () => {
    const path = capturedInTransaction();
    const judged = await judgeStatic(path);
    expect(truthOf(path, folder)).toBe('ok');
    expect(judged.evidence.journal).toMatchObject({ hot: true, rolledBack: true });
    expect(judged.evidence.pages?.fromJournal).toBeGreaterThan(20);
    expect(judged).toMatchObject({
      failed: false,
      codes: ['sqlite.journal.hot'],
      wal: { consistency: { level: 'filesystem' }, recovery: { needed: true }, instanceState: 'recoverable' },
    });
  });

  it('fails with a hole in it, or cut', async () => {
    const path = capturedInTransaction();
    damage(`${path}-journal`, (bytes) => {
      const firstRecord = bytes.readUInt32BE(20);
      bytes.fill(0xff, firstRecord + 100, firstRecord + 900);
    });
    expect(await judgeStatic(path)).toMatchObject({ codes: expect.arrayContaining(['sqlite.journal.hole']), wal: { instanceState: 'damaged' } });
    const headless = capturedInTransaction();
    damage(`${headless}-journal`, (bytes) => bytes.fill(0xff, 4000, 8000));
    expect((await judgeStatic(headless)).failed).toBe(true);
    const cut = capturedInTransaction();
    truncateSync(`${cut}-journal`, 9000);
    expect((await judgeStatic(cut)).codes).toContain('sqlite.journal.hole');
  });

  it('fails in the page walk when it is missing', async () => {
    const path = capturedInTransaction();
    unlinkSync(`${path}-journal`);
    expect(existsSync(path)).toBe(true);
    expect(truthOf(path, folder)).not.toBe('ok');
    expect((await judgeStatic(path)).structure.outcome).toBe('fail');
  });
});
