/** A data directory of MySQL 8 built from the published format, its dictionary and undo tablespaces by name: no MySQL runs here. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeFiles } from '../testing/write-files.js';
import { blockLog, mysqlRecord } from './testing/build-log.js';
import { MYSQL_PAGE_BYTES, mysqlSpace, sealPage } from './testing/build-space.js';
import { verifyFolder } from './testing/verify.js';

const root = mkdtempSync(join(tmpdir(), 'snapproof-mysql-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let number = 0;

const SPACES = { ibdata1: 0, 'mysql.ibd': 0xfffffffe, undo_001: 0xffffffef, 'extra.ibu': 0xffffffee, 'shop/orders.ibd': 7 } as const;
const PAGES = 8;
const NAMES = Object.keys(SPACES) as (keyof typeof SPACES)[];

/** Each page of each tablespace is changed; a group is longer than a block, so that each is the first that begins in its block. */
const changes = Array.from({ length: 3 }, () => NAMES.flatMap((name) => Array.from({ length: PAGES }, (_, page) => ({ space: SPACES[name], page })))).flat();
const groups = changes.map(({ space, page }) => Buffer.concat(Array.from({ length: 12 }, () => mysqlRecord(space, page))));
const starts = groups.map((_, i) => groups.slice(0, i).reduce((sum, bytes) => sum + bytes.length, 0));
const payload = Buffer.concat(groups);
const CHECKPOINT_GROUP = changes.length - 4;

function directory(change: (files: Record<string, Buffer>) => void = () => undefined): string {
  const plan = { format: 6, creator: 'MySQL 8.0.36', files: 2, fileBytes: 2048 + 512 * 120, startLsn: 8192, payload, starts };
  const checkpointAt = starts[CHECKPOINT_GROUP] ?? 0;
  const { files: logs, lsnOf } = blockLog({ ...plan, checkpointAt, checkpointEndAt: checkpointAt });
  const files: Record<string, Buffer> = { '#innodb_redo/#ib_redo1': logs[0] as Buffer, '#innodb_redo/#ib_redo2': logs[1] as Buffer };
  // All that was logged before the checkpoint is in the pages.
  for (const name of NAMES) files[name] = mysqlSpace(SPACES[name], PAGES, () => lsnOf(checkpointAt));
  change(files);
  return writeFiles(join(root, `case${number++}`), files);
}

/** Page 3 of a file, as an older or newer one would be: whole. */
const withLsn = (name: string, lsn: number) => (files: Record<string, Buffer>) => {
  const page = (files[name] as Buffer).subarray(3 * MYSQL_PAGE_BYTES, 4 * MYSQL_PAGE_BYTES);
  sealPage(page, 3, lsn);
};

describe('MySQL 8', () => {
  it('passes, and its dictionary and undo tablespaces are judged like others', async () => {
    const result = await verifyFolder(directory());
    expect(result).toMatchObject({ failed: [], state: 'recoverable' });
    const { spaces, redo } = result.evidence;
    expect(spaces).toMatchObject({ files: 5, systemFiles: 1, undoFiles: 2, pages: { pages: 5 * PAGES, freePages: 0 } });
    expect(spaces?.pages.requiredPages).toBe(5 * PAGES);
    expect(redo.log).toMatchObject({ state: 'ok', facts: { pagesKnown: false } });
    const { tested, untested } = result.judgements.reconciliation;
    expect(tested.map(({ what }) => what).join()).toContain('R2');
    expect(untested).toMatchObject([{ why: expect.stringContaining('only the first change'), holdsData: false }]);
  });

  it.each(NAMES)('damage in %s is found', async (name) => {
    const result = await verifyFolder(directory((files) => files[name]?.write('rotten', 3 * MYSQL_PAGE_BYTES + 5000, 'latin1')));
    expect(result.failed).toContain('pages');
    expect(result.state).toBe('damaged');
  });

  it.each(NAMES)('a page of %s newer than the log is found (R1)', async (name) => {
    const result = await verifyFolder(directory(withLsn(name, 9_000_000)));
    expect(result.codes).toContain('innodb.page.newer-than-log');
    expect(result.state).toBe('non-atomic');
  });

  it('a page older than a copy of it is found, where the checkpoint has passed the copy', async () => {
    const quiet =
      (copyLsn: number, offset = 0) =>
      (files: Record<string, Buffer>) => {
        files['shop/quiet.ibd'] = mysqlSpace(9, PAGES, () => 8300);
        const copy = Buffer.from((files['shop/quiet.ibd'] as Buffer).subarray(3 * MYSQL_PAGE_BYTES, 4 * MYSQL_PAGE_BYTES));
        files['#ib_16384_0.dblwr'] = Buffer.concat([Buffer.alloc(offset), sealPage(copy, 3, copyLsn)]);
      };
    const result = await verifyFolder(directory(quiet(8400, MYSQL_PAGE_BYTES)));
    expect(result.evidence.spaces?.pages.kinds.stale.examples).toMatchObject([{ file: 'shop/quiet.ibd', block: 3, lsn: 8300, required: 8400 }]);
    expect((await verifyFolder(directory(quiet(8300)))).failed).toEqual([]);
    // A copy that is newer than the checkpoint may be of a page that was not yet written.
    expect((await verifyFolder(directory(quiet(9_000_000)))).failed).toEqual([]);
  });

  it.each(NAMES)('a page of %s older than the log says is found (R2)', async (name) => {
    const result = await verifyFolder(directory(withLsn(name, 8200)));
    expect(result.codes).toContain('innodb.page.older-than-log');
    expect(result.failed).toContain('reconciliation');
  });
});
