import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/bytes/source.js';
import { judgeFolder } from '../../testing/judge.js';
import { writeFiles } from '../../testing/write-files.js';
import { berkeleyFinder } from '../finder.js';
import { pageChecksum } from '../format/meta.js';
import pages from './index.js';
import { chainEnd } from './log.js';

const PAGE = 512;
const folder = mkdtempSync(join(tmpdir(), 'snapproof-bdb-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const signal = new AbortController().signal;
let homes = 0;

/** Gives a page its number and its checksum. */
function close(bytes: Buffer, page: number, at = 28, zeroBytes = 4): Buffer {
  bytes.writeUInt32LE(page, 8);
  bytes.writeUInt32LE(pageChecksum(bytes, at, zeroBytes), at);
  return bytes;
}

function meta(change: (bytes: Buffer) => unknown = () => undefined): Buffer {
  const bytes = Buffer.alloc(PAGE);
  bytes.writeUInt32LE(0x053162, 12);
  bytes.writeUInt32LE(9, 16);
  bytes.writeUInt32LE(PAGE, 20);
  bytes[25] = 9;
  bytes[26] = 1;
  bytes.writeUInt32LE(3, 32);
  bytes.writeUInt32LE(1, 88);
  change(bytes);
  return close(bytes, 0, 492, 20);
}

/** Items from the end of the page on. */
function page(number: number, type: number, items: Buffer[], lsn: [number, number] = [0, 1]): Buffer {
  const bytes = Buffer.alloc(PAGE);
  bytes.writeUInt32LE(lsn[0], 0);
  bytes.writeUInt32LE(lsn[1], 4);
  bytes[24] = type === 5 ? 1 : 2;
  bytes[25] = type;
  let free = PAGE;
  for (const [i, item] of items.entries()) {
    free -= item.length + (item.length & 1);
    item.copy(bytes, free);
    bytes.writeUInt16LE(free, 32 + 2 * i);
  }
  bytes.writeUInt16LE(items.length, 20);
  bytes.writeUInt16LE(free, 22);
  return close(bytes, number);
}

const keyData = (text: string) => Buffer.from([text.length, 0, 1, ...Buffer.from(text)]);
const child = (number: number) => Buffer.from([1, 0, 1, 0, number, 0, 0, 0, 0, 0, 0, 0, 97]);
const file = (lsn: [number, number] = [0, 1]) =>
  Buffer.concat([meta(), page(1, 3, [child(2), child(3)], lsn), page(2, 5, [keyData('a'), keyData('b')], lsn), page(3, 5, [keyData('c'), keyData('d')], lsn)]);

function logFile(end: number): Buffer {
  const bytes = Buffer.alloc(1000);
  bytes.writeUInt32LE(28, 4);
  bytes.writeUInt32LE(0x040988, 12);
  for (let at = 28, before = 0; at < end; before = at, at += 40) {
    bytes.writeUInt32LE(before, at);
    bytes.writeUInt32LE(40, at + 4);
  }
  return bytes;
}

async function judge(files: Record<string, Buffer>) {
  return judgeFolder(writeFiles(join(folder, `home${homes++}`), files), berkeleyFinder, [pages]);
}

describe('a sound file', () => {
  it('passes, and every page is reached', async () => {
    const judged = await judge({ any: file() });
    expect(judged).toMatchObject({ failed: false, codes: [], states: ['clean'], untested: [] });
    expect(judged.judgements['berkeleydb/pages']?.summary).toContain('reach 3 of them');
  });

  it('of an environment is recoverable, and its trees are left open', async () => {
    const judged = await judge({ 'a.db': file([1, 100]), 'log.0000000001': logFile(300) });
    expect(judged).toMatchObject({ failed: false, codes: [], states: ['unknown'] });
    expect(judged.untested).toHaveLength(1);
  });

  it('that is encrypted is left open', async () => {
    const bytes = Buffer.concat([meta((first) => first.writeUInt8(1, 24)), Buffer.alloc(3 * PAGE, 'x')]);
    expect(await judge({ 'a.db': bytes })).toMatchObject({ failed: false, states: ['unknown'] });
  });
});

describe('damage', () => {
  it.each<[string, string, (bytes: Buffer) => unknown]>([
    ['a bit', 'berkeleydb.page', (bytes) => bytes.writeUInt8(77, 3 * PAGE - 2)],
    ['a bit in the first page', 'berkeleydb.page', (bytes) => bytes.writeUInt8(77, 60)],
    ['two pages swapped', 'berkeleydb.page', (bytes) => bytes.copy(bytes, 2 * PAGE, 3 * PAGE)],
    ['a page zeroed', 'berkeleydb.tree', (bytes) => bytes.fill(0, 2 * PAGE, 3 * PAGE)],
    ['a leaf reached twice', 'berkeleydb.tree', (bytes) => page(1, 3, [child(2), child(2)]).copy(bytes, PAGE)],
    ['a page of another type', 'berkeleydb.tree', (bytes) => page(3, 7, []).copy(bytes, 3 * PAGE)],
    ['the root lost', 'berkeleydb.tree', (bytes) => bytes.fill(0, PAGE, 2 * PAGE)],
  ])('%s', async (_, code, change) => {
    const bytes = file();
    change(bytes);
    const judged = await judge({ 'a.db': bytes });
    expect(judged).toMatchObject({ failed: true, states: ['damaged'] });
    expect(judged.codes).toContain(code);
  });

  it('a cut file', async () => {
    expect(await judge({ 'a.db': file().subarray(0, 3 * PAGE) })).toMatchObject({ failed: true, codes: ['berkeleydb.tree', 'berkeleydb.cut'] });
  });

  it('pages behind the end of the log are a warning, and leave the state open', async () => {
    const judged = await judge({ 'a.db': file([1, 400]), 'log.0000000001': logFile(300) });
    expect(judged).toMatchObject({ failed: false, codes: ['berkeleydb.log'], states: ['unknown'] });
  });
});

describe('hostile bytes', () => {
  it('give a judgement in bounded time', async () => {
    const change = fc.record({ at: fc.nat(4 * PAGE - 1), data: fc.uint8Array({ minLength: 1, maxLength: 30 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 5 }), fc.boolean(), async (changes, checked) => {
        const bytes = file();
        if (!checked) bytes[26] = 0;
        for (const { at, data } of changes) Buffer.from(data).copy(bytes, at);
        await judge({ 'a.db': bytes });
      }),
      { numRuns: 300 },
    );
  });

  it('end the log where it ends', async () => {
    expect(await chainEnd(new BufferSource(logFile(300)), signal)).toBe(308);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async (noise) => {
        const bytes = Buffer.concat([logFile(60).subarray(0, 28), Buffer.from(noise)]);
        expect(await chainEnd(new BufferSource(bytes), signal)).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});
