/** Order of keys, as the flags of a tree state it. A program may have set an order of its own, which no file tells. */
const REVERSE_KEY = 2;
const INTEGER_KEY = 8;

export type Compare = (a: Buffer, b: Buffer) => number;

export function orderOf(flags: number): Compare {
  if (flags & INTEGER_KEY) return compareIntegers;
  return flags & REVERSE_KEY ? compareReversed : Buffer.compare;
}

/** Little-endian numbers of four or eight bytes. */
function compareIntegers(a: Buffer, b: Buffer): number {
  if (a.length !== b.length) return a.length - b.length;
  for (let i = a.length - 1; i >= 0; i--) if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number);
  return 0;
}

function compareReversed(a: Buffer, b: Buffer): number {
  for (let i = a.length - 1, j = b.length - 1; i >= 0 && j >= 0; i--, j--) if (a[i] !== b[j]) return (a[i] as number) - (b[j] as number);
  return a.length - b.length;
}
