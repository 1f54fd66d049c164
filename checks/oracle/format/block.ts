/**
 * Blocks of Oracle's data files: 20 bytes of header, 4 of tail. Source: published descriptions of the cache header and tail (kcbh) and
 * of the block types, with dumps.
 */

/** XOR of all 16-bit words; 0 when a stored checksum fits. */
export function wordSum(block: Buffer): number {
  let sum = 0;
  for (let at = 0; at + 4 <= block.length; at += 4) sum ^= block.readInt32LE(at);
  return (sum ^ (sum >>> 16)) & 0xffff;
}

const CHECKSUM = 0x04;
const MAX_TYPE = 0x7f;

/**
 * sound; zero: never formatted. sum: its checksum does not fit. fractured: head and tail are of different changes.
 * misplaced: whole, with another address. format: it does not begin as a block does. marked: Oracle itself has marked it as lost.
 */
export type BlockKind = 'sound' | 'zero' | 'sum' | 'fractured' | 'misplaced' | 'format' | 'marked';

export interface BlockPlace {
  /** Number in its file. */
  block: number;
  /** 1024 and more: the address is the number of the block alone. */
  relativeFile: number;
}

export interface BlockFacts {
  kind: BlockKind;
  summed: boolean;
  scn: bigint;
}

const MARKED = 0xff;
const BIGFILE = 1024;

/** `at` is where the block begins in `words` and `view`, in bytes, a multiple of 4. */
export function judgeBlock(view: DataView, words: Int32Array, at: number, blockBytes: number, place: BlockPlace): BlockFacts {
  const sum = sumAndZero(words, at / 4, blockBytes / 4);
  if (sum.zero) return { kind: 'zero', summed: false, scn: 0n };
  const type = view.getUint8(at);
  const sequence = view.getUint8(at + 14);
  const base = view.getUint32(at + 8, true);
  const summed = (view.getUint8(at + 15) & CHECKSUM) !== 0;
  const scn = (BigInt(view.getUint16(at + 12, true) & 0x7fff) << 32n) | BigInt(base);
  const tail = (((base & 0xffff) << 16) | (type << 8) | sequence) >>> 0;
  return { kind: kindOf(), summed, scn };

  function kindOf(): BlockKind {
    if (type > MAX_TYPE || (view.getUint8(at + 1) & 0x0f) !== 2) return 'format';
    if (summed && sum.folded !== 0) return 'sum';
    if (view.getUint32(at + blockBytes - 4, true) !== tail) return 'fractured';
    if (sequence === MARKED) return 'marked';
    return fitsPlace(view.getUint32(at + 4, true), type, place) ? 'sound' : 'misplaced';
  }
}

/** Blocks that were formatted and never used know their number alone. */
function fitsPlace(address: number, type: number, { block, relativeFile }: BlockPlace): boolean {
  if (relativeFile >= BIGFILE || relativeFile === 0) return address === block;
  if (address === ((relativeFile << 22) | block) >>> 0) return true;
  return type === 0 && (address & 0x3fffff) === block && address >>> 22 === 0;
}

function sumAndZero(words: Int32Array, first: number, count: number): { folded: number; zero: boolean } {
  let sum = 0;
  let any = 0;
  for (let i = first; i < first + count; i++) {
    const word = words[i] as number;
    sum ^= word;
    any |= word;
  }
  return { folded: (sum ^ (sum >>> 16)) & 0xffff, zero: any === 0 };
}
