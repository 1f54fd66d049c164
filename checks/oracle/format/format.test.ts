/** The parsers: what they give for built bytes, and that hostile bytes never take them out of bounds. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/bytes/source.js';
import { identifyFile } from '../identify.js';
import { controlFile, dataFile, redoLog, writeScn } from '../testing/build.js';
import { judgeBlock, wordSum } from './block.js';
import { compareScn, NO_SCN, parsePrefix, readScn } from './file.js';

function kindOf(bytes: Buffer, block: number, relativeFile: number) {
  const { buffer } = new Uint8Array(bytes);
  return judgeBlock(new DataView(buffer), new Int32Array(buffer), 0, bytes.length, { block, relativeFile });
}

describe('files', () => {
  it('are known by their first two blocks', async () => {
    const identify = (bytes: Buffer) => identifyFile(new BufferSource(bytes));
    expect(await identify(dataFile({ file: 3, fuzzy: true }))).toMatchObject({
      role: 'data',
      name: 'ORCL',
      data: { file: 3, fuzzy: true, checkpoint: '6000' },
    });
    expect(await identify(dataFile({ type: 6 }))).toMatchObject({ role: 'temporary' });
    expect(await identify(redoLog({ sequence: 8 }))).toMatchObject({ role: 'redo', redo: { sequence: 8, next: NO_SCN, sumFits: true } });
    expect(await identify(controlFile())).toMatchObject({ role: 'control', name: 'ORCL', blockBytes: 16384 });
    expect(await identify(Buffer.alloc(70_000))).toBeNull();
  });

  it('carry change numbers of 48 bits; longer ones are not known', () => {
    const block = Buffer.alloc(16);
    writeScn(block, 0, 5 * 2 ** 32 + 7);
    expect(readScn(block, 0)).toBe(String(5n * 2n ** 32n + 7n));
    block.writeUInt16LE(0x8001, 4);
    expect(readScn(block, 0)).toBeNull();
    expect(compareScn('99', '100')).toBe(-1);
  });
});

describe('blocks', () => {
  const file = dataFile({ file: 3 });
  const block = (number: number) => Buffer.from(file.subarray(number * 8192, (number + 1) * 8192));

  it('fit their sum, tail and address', () => {
    expect(wordSum(block(5))).toBe(0);
    expect(kindOf(block(5), 5, 3)).toMatchObject({ kind: 'sound', scn: 5000n });
    expect(kindOf(block(5), 6, 3).kind).toBe('misplaced');
    expect(kindOf(block(5), 5, 4).kind).toBe('misplaced');
    expect(kindOf(block(13), 13, 3).kind).toBe('sound');
    expect(kindOf(block(20), 20, 3).kind).toBe('zero');
  });

  it('show every single bit that is flipped', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 8191 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const bytes = block(5);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        expect(kindOf(bytes, 5, 3).kind).not.toBe('sound');
      }),
      { numRuns: 300 },
    );
  });

  it('of any bytes are judged and nothing escapes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 2048, maxLength: 2048 }), fc.nat(3000), async (bytes, relative) => {
        kindOf(Buffer.from(bytes), 1, relative);
        const input = Buffer.from(bytes);
        parsePrefix(input);
        input[0] = 0;
        input.writeUInt32LE(512, 20);
        input.writeUInt32LE(0x7a7b7c7d, 28);
        await identifyFile(new BufferSource(input));
      }),
      { numRuns: 300 },
    );
  });
});
