/** CRC-32C (Castagnoli) of any bytes, in the way that is fastest for so many. */
import { crc32cStream } from './crc32c-stream.js';
import { crc32cByTables } from './crc32c-tables.js';

/** From here on folding is faster than tables, the copy that it needs included. */
const LONG_BYTES = 2048;
/** Folding must be put together and compiled first: whoever asks for little goes without. */
const WORTH_BYTES = 1024 * 1024;
let longBytes = 0;

/** CRC-32C of `bytes[start..end)`. Pass the result of an earlier call as `previous` to continue it. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length, previous = 0): number {
  if (end - start < LONG_BYTES) return crc32cByTables(bytes, start, end, previous);
  if (longBytes < WORTH_BYTES) {
    longBytes += end - start;
    return crc32cByTables(bytes, start, end, previous);
  }
  return crc32cStream(bytes, start, end, previous);
}
