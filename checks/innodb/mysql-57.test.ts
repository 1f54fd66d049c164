/** A data directory of MySQL 5.7 built from the published format: no MySQL runs here. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeFiles } from '../testing/write-files.js';
import { blockLog, checkpoint57, group57, record57 } from './testing/build-log.js';
import { justMadeSpace, MYSQL_PAGE_BYTES, mysqlSpace, sealPage } from './testing/build-space.js';
import { verifyFolder } from './testing/verify.js';

const root = mkdtempSync(join(tmpdir(), 'snapproof-mysql57-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let number = 0;

const SPACES = { ibdata1: 0, 'shop/orders.ibd': 7, 'shop/quiet.ibd': 8 } as const;
const NAMES = Object.keys(SPACES) as (keyof typeof SPACES)[];
const PAGES = 8;
const change = (space: number, page: number) => group57(record57(30, space, page, [0, 60, 0, 40, ...Array(40).fill(9)]));

/** Each page of each tablespace was changed before the checkpoint; since, pages of `orders` only. */
const before = NAMES.flatMap((name) => Array.from({ length: PAGES }, (_, page) => change(SPACES[name], page)));

function directory(adapt: (files: Record<string, Buffer>) => void = () => undefined, since: Buffer[] = [change(7, 2)]): string {
  const checkpointAt = Buffer.concat(before).length;
  const plan = { format: 1, creator: 'MySQL 5.7.44', files: 2, fileBytes: 2048 + 512 * 60, startLsn: 8192, checkpointAt, checkpointEndAt: checkpointAt };
  const { lsnOf } = blockLog({ ...plan, payload: Buffer.concat(before) });
  const groups = [...before, checkpoint57(lsnOf(checkpointAt)), ...since];
  const starts = groups.map((_, i) => groups.slice(0, i).reduce((sum, bytes) => sum + bytes.length, 0));
  const { files: logs } = blockLog({ ...plan, payload: Buffer.concat(groups), starts });
  const files: Record<string, Buffer> = { ib_logfile0: logs[0] as Buffer, ib_logfile1: logs[1] as Buffer };
  for (const name of NAMES) files[name] = mysqlSpace(SPACES[name], PAGES, () => lsnOf(checkpointAt));
  adapt(files);
  return writeFiles(join(root, `case${number++}`), files);
}

/** Page 3 of a file, as an older or newer one would be: whole. */
const withLsn = (name: string, lsn: number) => (files: Record<string, Buffer>) => {
  sealPage((files[name] as Buffer).subarray(3 * MYSQL_PAGE_BYTES, 4 * MYSQL_PAGE_BYTES), 3, lsn);
};

describe('MySQL 5.7', () => {
  it('passes, and every page that the log names is held against it', async () => {
    const result = await verifyFolder(directory());
    expect(result).toMatchObject({ failed: [], state: 'recoverable' });
    expect(result.evidence.spaces?.pages.requiredPages).toBe(3 * PAGES);
    expect(result.judgements.reconciliation.tested.map(({ what }) => what).join()).toContain('R2');
    expect(result.judgements.reconciliation.untested).toEqual([]);
  });

  it.each(['ibdata1', 'shop/orders.ibd'])('a page of %s older than the log says is found (R2)', async (name) => {
    const result = await verifyFolder(directory(withLsn(name, 8200)));
    expect(result.codes).toContain('innodb.page.older-than-log');
    expect(result).toMatchObject({ failed: ['reconciliation'], state: 'damaged' });
  });

  it('of a table that may just have been dropped cannot be told', async () => {
    const result = await verifyFolder(directory(withLsn('shop/quiet.ibd', 8200)));
    expect(result).toMatchObject({ failed: [], state: 'unknown' });
    expect(result.codes).toContain('innodb.page.perhaps-older-than-log');
    expect(result.judgements.reconciliation.untested).toMatchObject([{ what: '1 page of shop/quiet.ibd and others', holdsData: true }]);
  });

  it('of a table whose deletion is logged is not judged', async () => {
    const deleted = group57(record57(35, 8, 0, [0, 17, ...Buffer.from('./shop/quiet.ibd'), 0]));
    const result = await verifyFolder(directory(withLsn('shop/quiet.ibd', 8200), [deleted]));
    expect(result).toMatchObject({ failed: [], state: 'recoverable' });
    expect(result.evidence.spaces?.droppedFiles).toBe(1);
  });

  it.each(NAMES)('a page of %s newer than the log is found (R1), to the byte', async (name) => {
    const sound = await verifyFolder(directory());
    const { log } = sound.evidence.redo;
    const end = log.state === 'ok' ? log.facts.end : 0;
    expect((await verifyFolder(directory(withLsn(name, end)))).failed).toEqual([]);
    const result = await verifyFolder(directory(withLsn(name, end + 1)));
    expect(result.codes).toContain('innodb.page.newer-than-log');
    expect(result.state).toBe('non-atomic');
  });

  it('that lost the record of its checkpoint is found', async () => {
    const folder = directory((files) => {
      files.ib_logfile0?.fill(0, 2048 + 512 * Math.floor(Buffer.concat(before).length / 496));
    });
    const result = await verifyFolder(folder);
    expect(result.failed).toContain('log');
  });

  it('with a table that was just made passes: its content is in the log', async () => {
    const named = group57(record57(47, 12, 0, [0, 0, 0, 0x21, 0, 15, ...Buffer.from('./shop/new.ibd'), 0]));
    const result = await verifyFolder(
      directory(
        (files) => {
          files['shop/new.ibd'] = justMadeSpace(12, 6);
        },
        [change(7, 2), named, change(12, 0)],
      ),
    );
    expect(result).toMatchObject({ failed: [], state: 'recoverable' });
    expect(result.evidence.spaces).toMatchObject({ files: 4, missing: { count: 0 } });
  });
});
