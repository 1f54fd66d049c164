/**
 * The first sector of a registry hive and of each of its logs. Source: Maxim Suhanov, "Windows registry file format specification"
 * (github.com/msuhanov/regf), sections "Base block".
 */
import { FormatError } from '../../../src/errors.js';

export const BASE_BLOCK_BYTES = 4096;
export const SIGNATURE = 'regf';

export interface BaseBlock {
  /** Raised before a write to the file begins, and after it ended: unequal while it is under way. */
  primarySequence: number;
  secondarySequence: number;
  /** FILETIME, as hexadecimal digits: only compared. */
  writtenAt: string;
  major: number;
  minor: number;
  /** 0: the hive; 1 and 2: a log of the old kind; 6: a log of the new kind. */
  type: number;
  rootCell: number;
  binsBytes: number;
  /** Bytes of a sector of the disk it was made on. */
  sectorBytes: number;
  sumFits: boolean;
}

/** @throws FormatError when it does not begin like one. */
export function parseBaseBlock(head: Buffer): BaseBlock {
  if (head.length < 512 || head.toString('latin1', 0, 4) !== SIGNATURE) {
    throw new FormatError({ code: 'registry.base-block', message: 'it does not begin with the base block of a registry hive' });
  }
  const clustering = head.readUInt32LE(44);
  return {
    primarySequence: head.readUInt32LE(4),
    secondarySequence: head.readUInt32LE(8),
    writtenAt: head.readBigUInt64LE(12).toString(16),
    major: head.readUInt32LE(20),
    minor: head.readUInt32LE(24),
    type: head.readUInt32LE(28),
    rootCell: head.readUInt32LE(36),
    binsBytes: head.readUInt32LE(40),
    sectorBytes: clustering >= 1 && clustering <= 8 ? clustering * 512 : 512,
    sumFits: baseBlockSum(head) === head.readUInt32LE(508),
  };
}

/** XOR of the first 127 words; all ones and all zeroes are stored as their neighbours. */
export function baseBlockSum(head: Buffer): number {
  let sum = 0;
  for (let at = 0; at < 508; at += 4) sum ^= head.readInt32LE(at);
  if (sum === -1) return 0xfffffffe;
  return sum === 0 ? 1 : sum >>> 0;
}

/** Being written when it was captured: its log says what it must become. */
export function isDirty(block: BaseBlock): boolean {
  return !block.sumFits || block.primarySequence !== block.secondarySequence;
}
