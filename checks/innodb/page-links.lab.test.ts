/** Real MariaDB 10.11: writes that were lost where only linked pages tell, and tables that were encrypted for a while. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crc32c } from '../../src/bytes/crc32c.js';
import { openFolders } from '../testing/folder-guest.js';
import { listSpaceFiles } from './files/list.js';
import { readTablespaces } from './files/tablespaces.js';
import { innodbFinder } from './find.js';
import { PAGE_BYTES } from './testing/damage.js';
import { missingTools, TestServer } from './testing/server.js';
import { verifyFolder } from './testing/verify.js';

const missing = missingTools();
const SCHEMA = `create database shop; use shop;
create table plain (id int primary key, body mediumtext) engine=innodb;
create table secret (id int primary key, body mediumtext) engine=innodb encrypted=yes encryption_key_id=1;
create table once (id int primary key, body mediumtext) engine=innodb encrypted=yes encryption_key_id=1;
${['plain', 'secret', 'once'].map((table) => `insert into ${table} select seq, repeat(md5(seq), if(seq % 9 = 0, 3000, 60)) from seq_1_to_400;`).join('\n')}
alter table once encrypted=no, algorithm=inplace;`;

const keys = mkdtempSync(join(tmpdir(), 'snapproof-keys-'));

interface Page {
  number: number;
  type: number;
  lsn: number;
}

describe('pages that are linked with each other', () => {
  let server: TestServer;
  let copies = 0;

  beforeAll(async () => {
    if (missing) return;
    writeFileSync(join(keys, 'keys'), '1;000102030405060708090a0b0c0d0e0f\n');
    chmodSync(keys, 0o755);
    const settings = ['--plugin-load-add=file_key_management', `--file-key-management-filename=${join(keys, 'keys')}`];
    server = await TestServer.create({ settings, schema: SCHEMA });
    await server.stop('fast');
  }, 600_000);
  afterAll(async () => {
    await server?.destroy();
    rmSync(keys, { recursive: true, force: true });
  });

  function skipWithout(ctx: { task: { meta: object }; skip(): void }): void {
    if (!missing) return;
    Object.assign(ctx.task.meta, { skipReason: missing });
    ctx.skip();
  }

  /** A copy in which a file of a table was changed. */
  async function verified(change: (bytes: Buffer) => void) {
    const folder = server.copy(server.data, `copy${copies++}`);
    const path = join(folder, 'shop/plain.ibd');
    const bytes = readFileSync(path);
    change(bytes);
    writeFileSync(path, bytes);
    return verifyFolder(folder);
  }

  const pagesOf = (bytes: Buffer): Page[] =>
    [...Array(bytes.length / PAGE_BYTES).keys()].map((number) => ({
      number,
      type: bytes.readUInt16BE(number * PAGE_BYTES + 24),
      lsn: Number(bytes.readBigUInt64BE(number * PAGE_BYTES + 16)),
    }));

  function seal(bytes: Buffer, number: number): void {
    const page = bytes.subarray(number * PAGE_BYTES, (number + 1) * PAGE_BYTES);
    page.copy(page, PAGE_BYTES - 8, 20, 24);
    page.writeUInt32BE(crc32c(page, 0, PAGE_BYTES - 4), PAGE_BYTES - 4);
  }

  it('are compared, and raise no alarm', async (ctx) => {
    skipWithout(ctx);
    const result = await verified(() => undefined);
    expect(result).toMatchObject({ failed: [], state: 'clean' });
    expect(result.evidence.spaces?.pages.linkedPages).toBeGreaterThan(200);
    expect(result.judgements.reconciliation.tested.map(({ what }) => what)).toContain('pages against those linked with them');
  });

  it('tell that a page of a long value was not written', async (ctx) => {
    skipWithout(ctx);
    let found = { block: -1, other: -1 };
    const result = await verified((bytes) => {
      const pages = pagesOf(bytes);
      const nextOf = ({ number }: Page) => pages[bytes.readUInt32BE(number * PAGE_BYTES + 42)];
      const first = pages.find((page) => page.type === 10 && nextOf(page)?.type === 10) as Page;
      const next = nextOf(first) as Page;
      bytes.writeBigUInt64BE(BigInt(first.lsn - 1), next.number * PAGE_BYTES + 16);
      seal(bytes, next.number);
      found = { block: next.number, other: first.number };
    });
    expect(result.evidence.spaces?.pages.kinds.unlinked).toEqual({ count: 1, examples: [{ file: 'shop/plain.ibd', ...found }] });
    expect(result).toMatchObject({ failed: ['reconciliation'], state: 'damaged' });
  });

  it('tell that a leaf of an index is of before its neighbour was split off', async (ctx) => {
    skipWithout(ctx);
    const result = await verified((bytes) => {
      const leaf = pagesOf(bytes).find(({ number, type }) => {
        const at = number * PAGE_BYTES;
        return type === 17855 && bytes.readUInt16BE(at + 64) === 0 && bytes.readUInt32BE(at + 12) !== 0xffffffff;
      }) as Page;
      const next = bytes.readUInt32BE(leaf.number * PAGE_BYTES + 12);
      const after = bytes.readUInt32BE(next * PAGE_BYTES + 12);
      bytes.writeUInt32BE(after, leaf.number * PAGE_BYTES + 12);
      seal(bytes, leaf.number);
    });
    expect(result.codes).toContain('innodb.page.older-than-its-neighbour');
    expect(result.codes).not.toContain('innodb.page.older-than-log');
    expect(result).toMatchObject({ failed: ['reconciliation'], state: 'damaged' });
  });

  it('are compared by their LSNs only where nothing was ever encrypted', async (ctx) => {
    skipWithout(ctx);
    const { instances, context } = await openFolders(server.data, innodbFinder);
    const list = await listSpaceFiles(context.labs.files, instances[0] as (typeof instances)[0]);
    const { spaces } = await readTablespaces(context.labs.files, list, 'mariadb', new AbortController().signal);
    const known = Object.fromEntries(spaces.map(({ file, everEncrypted }) => [file.path, everEncrypted]));
    expect(known).toMatchObject({ 'shop/plain.ibd': false, 'shop/secret.ibd': true, 'shop/once.ibd': true, ibdata1: false });
  });
});
