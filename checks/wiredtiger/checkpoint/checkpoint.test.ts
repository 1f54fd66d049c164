/** Databases built from the format: sound, damaged in every block, and hostile. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { Problems } from '../../../src/bytes/problems.js';
import { BufferSource } from '../../../src/bytes/source.js';
import type { Check } from '../../../src/check.js';
import { FormatError } from '../../../src/errors.js';
import { judgeOne } from '../../testing/judge.js';
import { writeFiles } from '../../testing/write-files.js';
import { wiredTigerFinder } from '../finder.js';
import { blockProblem, isDescription, pageCells } from '../format/block.js';
import { bytesOf, configValue, parseFileConfig } from '../format/config.js';
import { parseAddress, parseCheckpoint } from '../format/cookie.js';
import { Unpacker } from '../format/pack.js';
import { unpackSnappy } from '../format/snappy.js';
import { walkJournal } from '../journal.js';
import { cell, database, FileBuilder, journalFile, key, packAddress, packUint, value } from '../testing/build.js';
import { walkFile } from '../walk-file.js';
import check from './index.js';

const CHECKS = [check] as unknown as Check[];
const UNIT = 4096;
const root = mkdtempSync(join(tmpdir(), 'snapproof-wiredtiger-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const signal = new AbortController().signal;
let number = 0;

async function judge(files: Record<string, Buffer>) {
  const folder = writeFiles(join(root, `case${number++}`), files);
  const { judgements, codes, failed, evidenceBytes } = await judgeOne(folder, wiredTigerFinder, CHECKS);
  rmSync(folder, { recursive: true });
  const judgement = judgements[check.id];
  if (!judgement) throw new Error('the check gave no judgement');
  return { ...judgement, codes, failed, evidenceBytes };
}

const without = (name: string) => Object.fromEntries(Object.entries(database()).filter(([file]) => !file.startsWith(name)));

describe('a sound database', () => {
  it('is recoverable while mongod ran, with the bytes of its journal, and clean after it ended', async () => {
    const running = await judge(database());
    expect(running).toMatchObject({ failed: false, codes: [], instanceState: 'recoverable', recovery: { needed: true }, untested: [] });
    expect(running.recovery?.bytes).toBeGreaterThan(500);
    expect(running.evidenceBytes).toBeLessThan(4000);
    expect(await judge({ ...database(), 'mongod.lock': Buffer.alloc(0) })).toMatchObject({
      failed: false,
      instanceState: 'clean',
      consistency: { level: 'application' },
    });
  });

  it('may hold anything in blocks that no checkpoint reaches, and files that none lists', async () => {
    const files = database();
    files['collection-0-1.wt'] = Buffer.concat([files['collection-0-1.wt'] ?? Buffer.alloc(0), Buffer.alloc(3 * UNIT, 0x5a)]);
    files['collection-9-9.wt'] = Buffer.alloc(UNIT, 7);
    expect(await judge(files)).toMatchObject({ failed: false, codes: [] });
  });
});

describe('damage', () => {
  it('of every block of every file is found: rot, loss, and a whole older block', async () => {
    const other = database(1);
    for (const name of ['collection-0-1.wt', 'index-1-1.wt', 'WiredTiger.wt']) {
      const sound = database()[name] ?? Buffer.alloc(0);
      for (let at = 0; at < sound.length; at += UNIT) {
        const change = async (edit: (bytes: Buffer) => void) => {
          const bytes = Buffer.from(sound);
          edit(bytes);
          return (await judge({ ...other, [name]: bytes })).failed;
        };
        expect(await change((bytes) => void bytes.writeUInt8((bytes[at + 90] ?? 0) ^ 4, at + 90)), `${name} ${at}`).toBe(true);
        expect(await change((bytes) => void bytes.fill(0, at, at + UNIT)), `${name} ${at}`).toBe(true);
        const next = at + UNIT < sound.length ? at + UNIT : UNIT;
        expect(await change((bytes) => void bytes.copyWithin(at, next, next + UNIT)), `${name} ${at}`).toBe(at !== next);
      }
    }
  });

  it('of the turtle, a short file and a file of another instant is found', async () => {
    expect((await judge(without('WiredTiger.turtle'))).codes).toEqual(['wiredtiger.turtle']);
    expect((await judge({ ...database(), 'WiredTiger.turtle': Buffer.from('WiredTiger') })).codes).toEqual(['wiredtiger.turtle']);
    const turtle = (database()['WiredTiger.turtle'] ?? Buffer.alloc(0)).toString('latin1').replace(/addr="01\w{6,}(?=",order=9)/, 'addr="017f');
    expect((await judge({ ...database(), 'WiredTiger.turtle': Buffer.from(turtle) })).codes).toEqual(['wiredtiger.metadata']);
    expect((await judge(without('WiredTiger.wt'))).codes).toEqual(['wiredtiger.metadata']);
    const files = database();
    const whole = files['collection-0-1.wt'] ?? Buffer.alloc(0);
    expect((await judge({ ...files, 'collection-0-1.wt': whole.subarray(0, whole.length - UNIT) })).codes).toContain('wiredtiger.short');
  });

  it('is a missing file only where nothing can have dropped it since', async () => {
    const gone = without('index-1-1');
    expect(await judge(gone)).toMatchObject({ failed: false, instanceState: 'unknown', untested: [{ holdsData: true }] });
    expect((await judge({ ...gone, 'mongod.lock': Buffer.alloc(0) })).codes).toEqual(['wiredtiger.missing']);
  });

  it('of the journal is told from its end', async () => {
    expect(await judge(without('journal'))).toMatchObject({ failed: true, codes: ['wiredtiger.journal.missing'], instanceState: 'lost-tail' });
    const files = database();
    const name = 'journal/WiredTigerLog.0000000003';
    const near = Buffer.from(files[name] ?? Buffer.alloc(0)).fill(0, 384, 512);
    expect(await judge({ ...files, [name]: near })).toMatchObject({ failed: false, codes: ['wiredtiger.journal.end-doubtful'] });
    const far = Buffer.concat([journalFile(2), Buffer.alloc(2 << 20), journalFile(3)]);
    expect(await judge({ ...files, [name]: far })).toMatchObject({ failed: true, codes: ['wiredtiger.journal.hole'], instanceState: 'lost-tail' });
  });
});

describe('the formats', () => {
  it('pack numbers of all lengths', () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat(70), fc.integer({ min: 60, max: 8300 }), fc.nat(), fc.integer({ min: 0, max: 2 ** 45 })), (n) => {
        expect(new Unpacker(packUint(n)).uint()).toBe(n);
      }),
    );
  });

  it('name places and checksums as a real turtle file does', () => {
    // Of a file that MongoDB 3.6 wrote.
    const cookie = parseCheckpoint('018481e4f56dd2ce8b81e45dfbb3a28c81e4ec9eb3e7808080e2cfc0e21fc0', UNIT);
    expect(cookie).toMatchObject({ root: { offset: 20480, sizeBytes: 4096 }, fileBytes: 61440 });
    expect(cookie.lists.map(({ offset }) => offset)).toEqual([49152, 53248]);
  });

  it('find values in nested configuration', () => {
    const config = 'a=(b=(c="x,y"),d=1),b=2,allocation_size=4KB,checkpoint=(X.9=(addr="02",order=9),X.10=(addr="03",order=10))';
    expect([configValue(config, 'b'), configValue(configValue(config, 'a') ?? '', 'd'), bytesOf('4KB')]).toEqual(['2', '1', 4096]);
    expect(parseFileConfig(config)).toMatchObject({ unit: 4096, checkpoint: '03', encrypted: false });
  });

  it('unpack snappy literals and overlapping copies', () => {
    expect(unpackSnappy(Buffer.from([10, 2 << 2, 0x61, 0x62, 0x63, (3 << 2) | 1, 3]), 100).toString()).toBe('abcabcabca');
    expect(() => unpackSnappy(Buffer.from([200, 1, 0, 0x61]), 100)).toThrow(FormatError);
  });

  it('follow compressed inner pages', async () => {
    const builder = new FileBuilder();
    const leaf = builder.page(7, [key(Buffer.from('a')), value(Buffer.from('b'))]);
    const cells = Buffer.concat([key(Buffer.from('a')), cell(2 << 4, packAddress(leaf))]);
    const plain = Buffer.alloc(Math.max(24, cells.length));
    cells.copy(plain);
    const rest = plain.subarray(24);
    const block = Buffer.alloc(UNIT);
    block.writeUInt32LE(40 + cells.length, 16);
    block.writeUInt32LE(2, 20);
    block[24] = 6;
    block[25] = 1;
    plain.copy(block, 40, 0, 24);
    const packed = Buffer.concat([Buffer.from([rest.length]), rest.length > 0 ? Buffer.from([(rest.length - 1) << 2]) : Buffer.alloc(0), rest]);
    block.writeBigUInt64LE(BigInt(packed.length), 64);
    packed.copy(block, 72);
    const address = builder.add(block);
    expect(pageCells(block, 'snappy')?.cells.map(({ kind }) => kind)).toEqual(['key', 'address']);
    expect(pageCells(block, 'zstd')).toBeNull();
    expect(blockProblem(block, address)).toBeNull();
  });

  it('survive hostile bytes', async () => {
    const bytes = (maxLength: number) => fc.uint8Array({ maxLength, size: 'max' }).map((array) => Buffer.from(array));
    const expectFormatError = (work: () => unknown) => {
      try {
        work();
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
      }
    };
    await fc.assert(
      fc.asyncProperty(bytes(3000), fc.constantFrom(3, 6, 7), fc.constantFrom(0, 1, 0x20), async (input, type, flags) => {
        expectFormatError(() => unpackSnappy(input, 1 << 20));
        expectFormatError(() => parseAddress(input, UNIT));
        expectFormatError(() => parseCheckpoint(`01${input.toString('hex')}`, UNIT));
        expectFormatError(() => parseFileConfig(input.toString('latin1')));
        isDescription(input);
        const builder = new FileBuilder();
        const block = Buffer.alloc(UNIT, 0);
        input.copy(block, 40);
        block.writeUInt32LE(40 + input.length, 16);
        block.writeUInt32LE(0xffffffff, 20);
        block[24] = type;
        block[25] = flags;
        const address = builder.add(block);
        const cookie = [Buffer.from([1]), packAddress(address), ...[0, 1, 2].map(() => packAddress(null)), packUint(UNIT), packUint(UNIT)];
        const config = { unit: UNIT, checkpoint: Buffer.concat(cookie).toString('hex'), compressor: 'snappy', encrypted: false, logLsn: null };
        const facts = await walkFile({ path: 'f', source: new BufferSource(builder.bytes), config, problems: new Problems(), signal });
        expect(facts.blocks).toBeLessThan(5);
        await walkJournal([{ number: 1, source: new BufferSource(input) }], { file: 1, offset: 0 }, signal);
      }),
      { numRuns: 200 },
    );
  });
});
