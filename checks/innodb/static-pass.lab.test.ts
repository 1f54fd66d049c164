/** Real MariaDB 10.11 under load: hot captures must raise no alarm, and each fault must be found. */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crc32c } from '../../src/bytes/crc32c.js';
import type { DatabaseInstance } from '../../src/types.js';
import { readAria } from '../aria/read-tables.js';
import { evaluateAria } from '../aria/tables/index.js';
import { evaluateMyisam, readMyisam } from '../myisam/tables/index.js';
import { flipBit, readAt, shorten, stale, swap, takeFrom, tear, writeAt, zero } from '../testing/damage.js';
import { openFolders } from '../testing/folder-guest.js';
import { innodbFinder } from './find.js';
import { forgetCopies, logCheckpoint, PAGE_BYTES, zeroLog } from './testing/damage.js';
import { missingTools, TestServer } from './testing/server.js';
import { type Verification, verifyFolder } from './testing/verify.js';

const missing = missingTools();
const CAPTURES = 6;
const accounts = 'load_test/accounts.ibd';
/** The roots of its two indexes lie here and behind: always in use, never made anew. */
const ROOT = 3;

describe('a MariaDB server under load', () => {
  let server: TestServer;
  const captures: string[] = [];
  const capture = (i: number) => captures.at(i) ?? '';
  let copies = 0;

  beforeAll(async () => {
    if (missing) return;
    server = await TestServer.create();
    server.startLoad();
    for (let i = 0; i < CAPTURES; i++) {
      await new Promise((resolve) => setTimeout(resolve, 1200));
      captures.push(server.capture(`capture${i}`));
    }
    await server.stop('fast');
  }, 600_000);
  afterAll(() => server?.destroy());

  async function damaged(from: string, damage: (folder: string) => void): Promise<Verification> {
    const folder = server.copy(from, `damaged${copies++}`);
    damage(folder);
    const result = await verifyFolder(folder);
    rmSync(folder, { recursive: true });
    return result;
  }

  /** Pages of the accounts that the log before the checkpoint names in the last capture, and that were otherwise in the first. */
  function changedPage(): number {
    const path = join(capture(-1), accounts);
    const before = join(capture(0), accounts);
    for (let page = 200; page > 4; page--) {
      const [now, then] = [readAt(path, page * PAGE_BYTES, PAGE_BYTES), readAt(before, page * PAGE_BYTES, PAGE_BYTES)];
      const lsn = now.readUInt32BE(16) * 2 ** 32 + now.readUInt32BE(20);
      if (!now.equals(then) && now.readUInt16BE(24) === 17855 && lsn < logCheckpoint(capture(-1)).lsn && then.readUInt16BE(24) === 17855) return page;
    }
    throw new Error('no page was changed between the captures');
  }

  it.for([...Array(CAPTURES).keys()])('hot capture %i raises no alarm', async (i, ctx) => {
    if (missing) {
      Object.assign(ctx.task.meta, { skipReason: missing });
      ctx.skip();
    }
    const result = await verifyFolder(capture(i));
    expect(result.failed).toEqual([]);
    expect(['recoverable', 'clean']).toContain(result.state);
    const pages = result.evidence.spaces?.pages;
    expect(pages?.requiredPages).toBeGreaterThan(100);
    expect(pages?.loggedPages).toBeGreaterThan(500);
    const { instances, context } = await openFolders(capture(i), innodbFinder);
    const [instance] = instances as [DatabaseInstance];
    expect(evaluateAria(await readAria(instance, context))).toMatchObject({ outcome: 'pass', instanceState: 'clean' });
    expect(evaluateMyisam(await readMyisam(instance, context.labs.files, context.signal))).toMatchObject({ outcome: 'pass', instanceState: 'unknown' });
    expect(result.judgements.log.recovery?.needed).toBe(result.state === 'recoverable');
  });

  describe.skipIf(missing !== '')('finds', () => {
    it('bit rot, and passes it in a free page', async () => {
      const result = await damaged(capture(-1), (folder) => {
        forgetCopies(folder);
        flipBit(join(folder, accounts), ROOT * PAGE_BYTES + 5000, 2);
      });
      expect(result.codes).toContain('innodb.page.checksum');
      expect(result.state).toBe('damaged');
      expect(result.evidence.spaces?.pages.kinds.checksum.examples).toMatchObject([{ file: accounts, block: ROOT }]);
      const last = (folder: string) => join(folder, 'load_test/documents.ibd');
      const free = await damaged(capture(-1), (folder) => writeAt(last(folder), sizePages(last(folder)) * PAGE_BYTES - 100, Buffer.from('junk')));
      expect(free.failed).toEqual([]);
    });

    it('a torn page, and passes it when the doublewrite buffer or the log heals it', async () => {
      const page = changedPage();
      const torn = (folder: string) => tear(join(folder, accounts), page * PAGE_BYTES, PAGE_BYTES, join(capture(0), accounts));
      const result = await damaged(capture(-1), (folder) => {
        forgetCopies(folder);
        torn(folder);
      });
      expect(result.codes).toContain('innodb.page.checksum');
      const healed = await damaged(capture(-1), (folder) => {
        // the copy must not be older than the checkpoint: this is what the server itself asks
        const whole = readAt(join(folder, accounts), page * PAGE_BYTES, PAGE_BYTES);
        whole.writeUInt32BE(logCheckpoint(folder).endLsn, 20);
        whole.writeUInt32BE(logCheckpoint(folder).endLsn, PAGE_BYTES - 8);
        whole.writeUInt32BE(crc32cOf(whole), PAGE_BYTES - 4);
        writeAt(join(folder, 'ibdata1'), 64 * PAGE_BYTES, whole);
        torn(folder);
      });
      expect(healed.failed).toEqual([]);
      expect(healed.evidence.spaces?.pages.kinds.copied.count).toBe(1);
    });

    it('a lost write (R2)', async () => {
      const page = changedPage();
      const result = await damaged(capture(-1), (folder) => stale(join(folder, accounts), page * PAGE_BYTES, PAGE_BYTES, join(capture(0), accounts)));
      expect(result.evidence.spaces?.pages.kinds.stale.examples).toMatchObject([{ file: accounts, block: page }]);
      expect(result.judgements.reconciliation.summary).toContain('Writes to the tablespaces were lost');
      expect(result.state).toBe('damaged');
    });

    it('swapped pages', async () => {
      const result = await damaged(capture(-1), (folder) => swap(join(folder, accounts), ROOT * PAGE_BYTES, (ROOT + 1) * PAGE_BYTES, PAGE_BYTES));
      expect(result.evidence.spaces?.pages.kinds.identity.count).toBe(2);
      expect(result.failed).toEqual(['pages']);
    });

    it('a zeroed range', async () => {
      const result = await damaged(capture(-1), (folder) => {
        forgetCopies(folder);
        zero(join(folder, accounts), ROOT * PAGE_BYTES, 2 * PAGE_BYTES);
      });
      expect(result.evidence.spaces?.pages.kinds.zeroed.count).toBe(2);
      expect(result.failed).toContain('pages');
    });

    it('a hole in the log', async () => {
      const logs = await Promise.all(captures.map(async (folder) => ({ folder, log: logOf(await verifyFolder(folder)) })));
      const toReplay = ({ log }: (typeof logs)[number]) => log.end - log.checkpointEnd;
      const [longest] = logs.sort((one, other) => toReplay(other) - toReplay(one)) as [(typeof logs)[number]];
      expect(toReplay(longest)).toBeGreaterThan(32768); // the load changes more than that between two checkpoints
      const middle = longest.log.checkpointEnd + Math.floor(toReplay(longest) / 2);
      const result = await damaged(longest.folder, (folder) => zeroLog(folder, middle, 4096));
      expect(result.codes).toContain('innodb.log.hole');
      expect(result.failed).toContain('log');
      expect(['lost-tail', 'damaged']).toContain(result.state);
    });

    it('a log cut off before its checkpoint, and zeroed at its head', async () => {
      const { endLsn } = logCheckpoint(capture(-1));
      const cut = await damaged(capture(-1), (folder) => zeroLog(folder, endLsn - 16, 4_000_000));
      expect(cut.codes).toContain('innodb.log.checkpoint-missing');
      const gone = await damaged(capture(-1), (folder) => zero(join(folder, 'ib_logfile0'), 0, 512));
      expect(gone.codes).toContain('innodb.log.damaged');
      const missingLog = await damaged(capture(-1), (folder) => rmSync(join(folder, 'ib_logfile0')));
      expect(missingLog.codes).toContain('innodb.log.missing');
      expect(missingLog.state).toBe('damaged');
    });

    it('a log cut off before the newest page (R1)', async () => {
      const all = await Promise.all(captures.map((folder) => verifyFolder(folder)));
      const newestOf = (result: Verification) => result.evidence.spaces?.pages.maxLsn ?? 0;
      const chosen = all.findIndex((result) => newestOf(result) > logOf(result).checkpoint + 100);
      expect(chosen).toBeGreaterThanOrEqual(0); // some page was written after the checkpoint in one of them
      const newest = newestOf(all[chosen] as Verification);
      const result = await damaged(capture(chosen), (folder) => zeroLog(folder, newest - 8, 4_000_000));
      expect(result.codes).toContain('innodb.page.newer-than-log');
      expect(result.state).toBe('non-atomic');
    });

    it('data newer than the log, one table or all (R1)', async () => {
      for (const parts of [['load_test', 'ibdata1'], [accounts]]) {
        const result = await damaged(capture(0), (folder) => takeFrom(capture(-1), folder, parts));
        expect(result.codes).toContain('innodb.page.newer-than-log');
        expect(result.state).toBe('non-atomic');
      }
    });

    it('data older than the log, one table or all (R2)', async () => {
      for (const parts of [['load_test', 'ibdata1'], [accounts]]) {
        const result = await damaged(capture(-1), (folder) => takeFrom(capture(0), folder, parts));
        expect(result.codes).toContain('innodb.page.older-than-log');
        expect(result.state).toBe('non-atomic');
      }
    });

    it('missing and short files', async () => {
      const table = await damaged(capture(-1), (folder) => rmSync(join(folder, accounts)));
      expect(table.codes).toContain('innodb.file.missing');
      const quiet = await damaged(capture(-1), (folder) => rmSync(join(folder, 'mysql/innodb_index_stats.ibd')));
      expect(quiet.evidence.spaces?.missing.examples).toEqual([{ file: 'mysql/innodb_index_stats.ibd', space: 2 }]); // by the dictionary
      const system = await damaged(capture(-1), (folder) => rmSync(join(folder, 'ibdata1')));
      expect(system.codes).toContain('innodb.file.system-missing');
      const short = await damaged(capture(-1), (folder) => shorten(join(folder, accounts), 1 << 20));
      expect(short.codes).toContain('innodb.file.short');
    });

    it('bit rot in Aria tables, and a MyISAM table that lost its end', async () => {
      const folder = server.copy(capture(-1), 'others');
      flipBit(join(folder, 'load_test/journal.MAD'), 3 * 8192 + 4000, 2);
      flipBit(join(folder, 'load_test/journal.MAI'), 8192 + 100, 2);
      shorten(join(folder, 'load_test/plain.MYD'), 5000);
      const { instances, context } = await openFolders(folder, innodbFinder);
      const [instance] = instances as [DatabaseInstance];
      expect((await readAria(instance, context)).pages.kinds.checksum.count).toBe(2);
      expect(evaluateMyisam(await readMyisam(instance, context.labs.files, context.signal))).toMatchObject({ outcome: 'fail', instanceState: 'damaged' });
    });

    it('nothing in a server that was shut down: it is clean', async () => {
      const result = await verifyFolder(server.data);
      expect(result.failed).toEqual([]);
      expect(result.state).toBe('clean');
      expect(result.judgements.log.recovery).toEqual({ needed: false, seconds: null, bytes: 0 });
    });

    it('what the server itself says of a hot capture', async () => {
      const folder = server.copy(capture(-1), 'started');
      await server.start(folder);
      expect(server.sql('check table load_test.accounts extended')).toContain('OK');
      await server.stop('fast');
      cpSync(join(server.folder, 'server.log'), join(folder, 'server.log'));
    });
  });
});

const sizePages = (path: string) => readAt(path, 46, 4).readUInt32BE(0);

function logOf(result: Verification) {
  const { log } = result.evidence.redo;
  if (log.state !== 'ok') throw new Error(log.why);
  return log.facts;
}

function crc32cOf(page: Buffer): number {
  return crc32c(page, 0, PAGE_BYTES - 4);
}
