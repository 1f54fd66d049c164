/**
 * The beginning of a log record of MySQL 8: type, tablespace, page. Records do not say how long they are, so that only the first of a
 * group is found, where the header of its block says that a group begins.
 * Sources: MySQL 8.0 storage/innobase/include/mtr0types.h (types), mach0data.ic (compressed integers), log0constants.h (block header).
 */

/** Tablespace and page that it changes; `none`: it is a record that changes no page (files, padding, end of group). */
export type FirstChange = { space: number; page: number } | 'none';

const SINGLE = 0x80;
/** Changes of pages: writes, records, undo, creation, compressed pages, and the forms of 8.0.28. */
const CHANGES: [from: number, to: number][] = [
  [1, 2],
  [4, 4],
  [8, 11],
  [13, 22],
  [24, 27],
  [30, 30],
  [36, 46],
  [48, 53],
  [57, 59],
  [63, 64],
  [67, 76],
];
const OTHERS = new Set([31, 32, 33, 34, 35, 61, 62, 65]);

/** @param bytes from the first byte of the record on, as far as the block goes. Null: of no known type, or cut off by the end of the block. */
export function firstChange(bytes: Uint8Array): FirstChange | null {
  const type = (bytes[0] ?? 0) & ~SINGLE;
  if (OTHERS.has(type)) return 'none';
  if (!CHANGES.some(([from, to]) => type >= from && type <= to)) return null;
  const space = compressed(bytes, 1);
  const page = space && compressed(bytes, space.next);
  return space && page ? { space: space.value, page: page.value } : null;
}

/** Whether it is a type that MySQL 8 writes, however much of it is there. */
export function isKnownType(byte: number): boolean {
  const type = byte & ~SINGLE;
  return OTHERS.has(type) || CHANGES.some(([from, to]) => type >= from && type <= to);
}

/** How many bytes, which bits of the first belong to the value, and what the bits above them are: from the value's first byte. */
const FORMS: { below: number; bytes: number; mask: number; high: number }[] = [
  { below: 0x80, bytes: 1, mask: 0x7f, high: 0 },
  { below: 0xc0, bytes: 2, mask: 0x3f, high: 0 },
  { below: 0xe0, bytes: 3, mask: 0x1f, high: 0 },
  { below: 0xf0, bytes: 4, mask: 0x0f, high: 0 },
  { below: 0xf1, bytes: 5, mask: 0, high: 0 },
  { below: 0xf8, bytes: 0, mask: 0, high: 0 },
  { below: 0xfc, bytes: 2, mask: 0x03, high: 0xfffffc00 },
  { below: 0xfe, bytes: 3, mask: 0x01, high: 0xfffe0000 },
  { below: 0xff, bytes: 4, mask: 0, high: 0xff000000 },
];

/** Null: of no known form, or cut off. */
export function compressed(bytes: Uint8Array, at: number): { value: number; next: number } | null {
  const first = bytes[at];
  const form = first === undefined ? undefined : FORMS.find(({ below }) => first < below);
  if (first === undefined || !form || form.bytes === 0 || at + form.bytes > bytes.length) return null;
  let value = first & form.mask;
  for (let i = 1; i < form.bytes; i++) value = value * 256 + (bytes[at + i] as number);
  return { value: (value + form.high) % 2 ** 32, next: at + form.bytes };
}
