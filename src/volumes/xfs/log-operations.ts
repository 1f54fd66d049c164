/**
 * What the records of an XFS log hold: an unmount mark, changes of the superblock alone, or real changes.
 * Format: "XFS Algorithms & Data Structures", third edition, sections "Log Operations" and "Log Items".
 * Operation headers are big-endian; the items within are in the byte order of the guest's processor.
 */

const OPERATION_BYTES = 12;
const FLAG_CONTINUE = 0x04;
const FLAG_WAS_CONTINUED = 0x08;
const FLAG_UNMOUNT = 0x20;
const TRANSACTION_MAGIC = 'NART'; // 0x5452414e, little-endian
const TRANSACTION_MAGIC_BE = 'TRAN';
const ITEM_BUFFER = 0x123c;

export interface LogOperation {
  flags: number;
  data: Buffer;
}

/** Splits a payload; null when its lengths do not add up. */
export function splitOperations(payload: Buffer, count: number): LogOperation[] | null {
  const operations: LogOperation[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + OPERATION_BYTES > payload.length) return null;
    const length = payload.readUInt32BE(at + 4);
    const end = at + OPERATION_BYTES + length;
    if (end > payload.length) return null;
    operations.push({ flags: payload.readUInt8(at + 9), data: payload.subarray(at + OPERATION_BYTES, end) });
    at = end;
  }
  return operations;
}

export function isUnmount(operations: LogOperation[]): boolean {
  return operations.length === 1 && ((operations[0]?.flags ?? 0) & FLAG_UNMOUNT) !== 0;
}

/** True when every item logged is the buffer of block 0, the superblock: what the kernel writes to cover a quiet log. */
export function changesSuperblockOnly(operations: LogOperation[]): boolean {
  let regionsLeft = 0;
  for (const { flags, data } of operations) {
    if (flags & (FLAG_CONTINUE | FLAG_WAS_CONTINUED)) return false;
    if (data.length === 0) continue;
    if (regionsLeft > 0) {
      regionsLeft--;
      continue;
    }
    if (isTransactionHeader(data)) continue;
    const regions = superblockRegions(data);
    if (regions === null) return false;
    regionsLeft = regions - 1;
  }
  return regionsLeft === 0;
}

function isTransactionHeader(data: Buffer): boolean {
  const magic = data.toString('latin1', 0, 4);
  return data.length === 16 && (magic === TRANSACTION_MAGIC || magic === TRANSACTION_MAGIC_BE);
}

/** How many regions a buffer item for block 0 has; null for any other item. */
function superblockRegions(data: Buffer): number | null {
  if (data.length < 16) return null;
  if (data.readUInt16LE(0) === ITEM_BUFFER) return data.readBigInt64LE(8) === 0n ? data.readUInt16LE(2) : null;
  if (data.readUInt16BE(0) === ITEM_BUFFER) return data.readBigInt64BE(8) === 0n ? data.readUInt16BE(2) : null;
  return null;
}
