/** The rest of a finished log proves what must be in the database: on databases that SQLite itself wrote. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { judgeStatic } from './testing/judge-all.js';
import { addRows, copyDatabase, damage, openSample } from './testing/sample.js';

const PAGE = 1024;

describe('the rest of the log before the present one', () => {
  let folder: string;
  let live: Database.Database;
  let path: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'snapproof-previous-'));
    path = join(folder, 'live.db');
    live = openSample(path, { journalMode: 'wal', pageSize: PAGE, rows: 300 });
    live.pragma('wal_checkpoint(FULL)');
    copyFileSync(path, join(folder, 'earlier.db'));
    addRows(live, 300, 5); // a log of its own, copied back as a whole
    live.pragma('wal_checkpoint(FULL)');
    live.exec("UPDATE entry SET name = 'changed' WHERE id = 3"); // begins the next log, shorter than the one before
  });

  afterEach(() => {
    live.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function capture(): string {
    copyDatabase(path, join(folder, 'captured.db'));
    return join(folder, 'captured.db');
  }

  it('agrees with a sound database', async () => {
    const { evidence, failed } = await judgeStatic(capture());
    expect(evidence.previousLog?.comparedPages).toBeGreaterThan(20);
    expect(evidence.previousLog?.stalePages).toBe(0);
    expect(failed).toBe(false);
  });

  it('finds a database that is older than its log', async () => {
    const captured = capture();
    copyFileSync(join(folder, 'earlier.db'), captured);
    const { codes, wal } = await judgeStatic(captured);
    expect(codes).toContain('sqlite.wal.database-older');
    expect(wal.instanceState).toBe('non-atomic');
  });

  it('finds one write that was lost', async () => {
    const captured = capture();
    const { evidence } = await judgeStatic(captured);
    const lost = 40;
    const earlier = join(folder, 'earlier.db');
    let before: Buffer | null = null;
    damage(earlier, (bytes) => {
      before = Buffer.from(bytes.subarray((lost - 1) * PAGE, lost * PAGE));
    });
    expect(evidence.previousLog?.examples).toEqual([]);
    damage(captured, (bytes) => void before?.copy(bytes, (lost - 1) * PAGE));
    expect((await judgeStatic(captured)).evidence.previousLog).toMatchObject({ stalePages: 1, examples: [lost] });
  });

  it('says nothing of pages that the present log has changed since', async () => {
    live.exec("UPDATE entry SET name = name || '!'");
    live.pragma('wal_checkpoint(PASSIVE)');
    const { evidence, failed } = await judgeStatic(capture());
    expect(evidence.previousLog?.stalePages ?? 0).toBe(0);
    expect(failed).toBe(false);
  });

  it('believes only frames that continue each other', async () => {
    const captured = capture();
    const { evidence } = await judgeStatic(captured);
    const first = 32 + (evidence.wal?.committedFrames ?? 0) * (PAGE + 24);
    damage(`${captured}-wal`, (bytes) => bytes.fill(0x5a, first + 3 * (PAGE + 24) + 100, first + 3 * (PAGE + 24) + 120));
    copyFileSync(join(folder, 'earlier.db'), captured);
    expect((await judgeStatic(captured)).evidence.previousLog).toBeNull();
  });
});
