/**
 * Marvin32, with which Windows 8.1 and later seal the entries of registry logs. Sources: US patent 20130262421; the seed is that of
 * Maxim Suhanov's "Windows registry file format specification".
 */
const SEED_LOW = 0x7a4e55c5;
const SEED_HIGH = 0x82ef4d88;

/** As an unsigned 64-bit number. */
export function marvin32(bytes: Buffer, from = 0, to = bytes.length, low = SEED_LOW, high = SEED_HIGH): bigint {
  const state = { low: low | 0, high: high | 0 };
  let at = from;
  for (; at + 4 <= to; at += 4) mix(state, bytes.readInt32LE(at));
  let rest = 0x80;
  for (let last = to - 1; last >= at; last--) rest = (rest << 8) | (bytes[last] ?? 0);
  mix(state, rest);
  mix(state, 0);
  return (BigInt(state.high >>> 0) << 32n) | BigInt(state.low >>> 0);
}

function mix(state: { low: number; high: number }, word: number): void {
  let { low, high } = state;
  low = (low + word) | 0;
  high ^= low;
  low = (turn(low, 20) + high) | 0;
  high = turn(high, 9) ^ low;
  low = (turn(low, 27) + high) | 0;
  state.low = low;
  state.high = turn(high, 19);
}

function turn(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
