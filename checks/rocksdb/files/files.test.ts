/** Stores built from the published formats of LevelDB: whole, damaged, hostile. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/bytes/crc32c.js';
import { xxh3 } from '../../../src/bytes/xxh3.js';
import { FormatError } from '../../../src/errors.js';
import { judgeFolder } from '../../testing/judge.js';
import { writeFiles } from '../../testing/write-files.js';
import { rocksFinder } from '../finder.js';
import { BLOCK_BYTES, masked } from '../format/log.js';
import { unsnap } from '../format/snappy.js';
import { handlesIn } from '../format/table.js';
import { applyEdit, newVersion } from '../format/version-edit.js';
import check from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'snapproof-leveldb-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let homes = 0;

const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]);
const text = (value: string) => [...varint(value.length), ...Buffer.from(value)];

/** A log: every record in fragments that fill blocks of 32 KiB. */
function log(records: Buffer[]): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (const record of records) {
    for (let from = 0, first = true; first || from < record.length; first = false) {
      const room = BLOCK_BYTES - (at % BLOCK_BYTES);
      if (room < 7) {
        parts.push(Buffer.alloc(room));
        at += room;
        continue;
      }
      const data = record.subarray(from, from + room - 7);
      from += data.length;
      const last = from >= record.length;
      const body = Buffer.concat([Buffer.of(first ? (last ? 1 : 2) : last ? 4 : 3), data]);
      const head = Buffer.alloc(6);
      head.writeUInt32LE(masked(crc32c(body)));
      head.writeUInt16LE(data.length, 4);
      parts.push(head, body);
      at += 7 + data.length;
    }
  }
  return Buffer.concat(parts);
}

function block(entries: [string, Buffer][]): Buffer {
  const body = entries.flatMap(([key, value]) => [0, ...varint(key.length), ...varint(value.length), ...Buffer.from(key), ...value]);
  const bytes = Buffer.from([...body, 0, 0, 0, 0, 1, 0, 0, 0]);
  const trailer = Buffer.alloc(5);
  trailer.writeUInt32LE(masked(crc32c(Buffer.concat([bytes, Buffer.of(0)]))), 1);
  return Buffer.concat([bytes, trailer]);
}

function table(): Buffer {
  const blocks = ['a', 'b', 'c'].map((key) => block([[key, Buffer.alloc(300, key)]]));
  let offset = 0;
  const handle = (bytes: Buffer) => {
    const result = Buffer.from([...varint(offset), ...varint(bytes.length - 5)]);
    offset += bytes.length;
    return result;
  };
  const index = block(blocks.map((bytes, i) => [`k${i}`, handle(bytes)]));
  const meta = block([]);
  const handles = Buffer.concat([handle(meta), handle(index)]);
  const footer = Buffer.alloc(48);
  handles.copy(footer);
  footer.writeBigUInt64LE(0xdb4775248b80fb57n, 40);
  return Buffer.concat([...blocks, meta, index, footer]);
}

const TABLE = table();
const EDITS = [
  Buffer.from([1, ...text('leveldb.BytewiseComparator'), 2, 3, 3, 9, 4, 100]),
  Buffer.from([7, 0, 5, ...varint(TABLE.length), ...text('a12345678'), ...text('c12345678')]),
  Buffer.from([7, 0, 6, ...varint(999), ...text('a12345678'), ...text('c12345678')]),
  Buffer.from([6, 0, 6]),
];
const RECORDS = Array.from({ length: 40 }, (_, i) => Buffer.alloc(50 + i * 100, i + 1));

const sound = (): Record<string, Buffer> => ({
  CURRENT: Buffer.from('MANIFEST-000002\n'),
  'MANIFEST-000002': log(EDITS),
  '000005.ldb': Buffer.from(TABLE),
  '000003.log': log(RECORDS),
  '000001.log': Buffer.from('left over'),
  '000009.sst': Buffer.from('not in the store'),
});

async function judge(files: Record<string, Buffer>) {
  return judgeFolder(writeFiles(join(folder, `home${homes++}`), files), rocksFinder, [check]);
}
const changed = (name: string, change: (bytes: Buffer) => Buffer | undefined | number) => {
  const files = sound();
  const bytes = files[name] ?? Buffer.alloc(0);
  const result = change(bytes);
  return judge({ ...files, [name]: Buffer.isBuffer(result) ? result : bytes });
};

describe('a sound store', () => {
  it('passes; what does not belong to it is not looked at', async () => {
    const judged = await judge(sound());
    expect(judged).toMatchObject({ failed: false, codes: [], states: ['recoverable'], untested: [] });
    expect(judged.judgements['rocksdb/files']?.tested[0]?.how).toContain('5 blocks in 1 table file (');
    expect(judged.judgements['rocksdb/files']?.tested[0]?.how).toContain('of 40 records in 1 log');
  });

  it('whose log is nowhere, or whose tables lie elsewhere, is left open', async () => {
    const { '000003.log': _, ...rest } = sound();
    expect(await judge(rest)).toMatchObject({ failed: false, states: ['unknown'] });
    const elsewhere = Buffer.from([103, 0, 6, 50, ...text('a12345678'), ...text('c12345678'), 1, 2, 65, 1, 1, 1]);
    const judged = await judge({ ...sound(), 'MANIFEST-000002': log([...EDITS, elsewhere]) });
    expect(judged).toMatchObject({ failed: false, states: ['unknown'] });
    expect(judged.untested[0]).toContain('db_paths');
  });

  it('may have lost the end of its last record', async () => {
    const whole = sound()['000003.log'] ?? Buffer.alloc(0);
    for (const cut of [1, 100, 5000]) {
      const judged = await changed('000003.log', (bytes) => bytes.subarray(0, whole.length - cut));
      expect(judged).toMatchObject({ failed: false, states: ['lost-tail'] });
    }
  });
});

describe('damage', () => {
  it('of any byte of a table that is in use', async () => {
    for (let at = 0; at < TABLE.length - 42; at += 5) {
      const judged = await changed('000005.ldb', (bytes) => bytes.writeUInt8((bytes[at] as number) ^ 8, at));
      expect([at, judged.failed || judged.untested.length > 0]).toEqual([at, true]);
    }
  });

  it.each<[string, string, string, string, (bytes: Buffer) => Buffer | number]>([
    ['a table cut', '000005.ldb', 'rocksdb.table-size', 'non-atomic', (bytes) => bytes.subarray(0, 500)],
    ['a hole in the log', '000003.log', 'rocksdb.log-hole', 'damaged', (bytes) => bytes.fill(0, 3000, 4000)],
    ['a bit in the log', '000003.log', 'rocksdb.log-hole', 'damaged', (bytes) => bytes.writeUInt8(99, 3000)],
    ['a bit in the MANIFEST', 'MANIFEST-000002', 'rocksdb.manifest', 'damaged', (bytes) => bytes.writeUInt8(99, 20)],
    ['an empty MANIFEST', 'MANIFEST-000002', 'rocksdb.manifest', 'damaged', () => Buffer.alloc(0)],
    ['another CURRENT', 'CURRENT', 'rocksdb.current', 'damaged', () => Buffer.from('../../etc/passwd\n')],
    ['a CURRENT of another instant', 'CURRENT', 'rocksdb.manifest', 'non-atomic', () => Buffer.from('MANIFEST-000007\n')],
  ])('%s', async (_, name, code, state, change) => {
    expect(await changed(name, change)).toMatchObject({ failed: true, codes: [code], states: [state] });
  });

  it('a table missing', async () => {
    const { '000005.ldb': _, ...rest } = sound();
    expect(await judge(rest)).toMatchObject({ failed: true, codes: ['rocksdb.table-missing'], states: ['non-atomic'] });
  });
});

describe('formats', () => {
  it('hash as published', () => {
    expect(xxh3(Buffer.alloc(0)).toString(16)).toBe('2d06800538d394c2');
    expect(xxh3(Buffer.from('a')).toString(16)).toBe('e6c632b61e964e1f');
    expect(masked(crc32c(Buffer.from('foo')))).not.toBe(crc32c(Buffer.from('foo')));
  });

  it('unfold snappy: literals, and copies that overlap themselves', () => {
    expect(unsnap(Buffer.from([9, 8, 97, 98, 99, 0b00001001, 3]), 100).toString()).toBe('abcabcabc');
    expect(() => unsnap(Buffer.from([255, 255, 255, 127]), 100)).toThrow(FormatError);
    expect(() => unsnap(Buffer.from([9, 8, 97, 98, 99, 0b00001001, 4]), 100)).toThrow('outside');
  });

  it('survive hostile bytes', async () => {
    const attempt = (work: () => unknown) => {
      try {
        work();
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    };
    const names = ['MANIFEST-000002', '000005.ldb', '000003.log', 'CURRENT'];
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom(...names),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        async (noise, name, at) => {
          const bytes = Buffer.from(noise);
          attempt(() => unsnap(bytes, 10_000));
          attempt(() => applyEdit(bytes, newVersion()));
          attempt(() => handlesIn(bytes, noise.length % 2 === 0));
          xxh3(bytes);
          await changed(name, (file) => bytes.copy(file, Math.floor(at * file.length)));
        },
      ),
      { numRuns: 300 },
    );
  });
});
