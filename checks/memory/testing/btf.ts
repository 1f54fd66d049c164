/** Makes type information as a kernel keeps it. */

const INT = 1;
const STRUCT = 4;
const ARRAY = 3;

export interface MemberSpec {
  offset: number;
  /** Bytes of a number, a number of bytes in an array, or another structure of the same table. */
  type: 1 | 2 | 4 | 8 | { array: number } | { struct: string };
}

/** Structures by name; one that is used by another must come before it. `size` in bytes. */
export type StructSpecs = Record<string, { size: number; members: Record<string, MemberSpec> }>;

export function buildTypes(specs: StructSpecs): Buffer {
  const strings = [Buffer.from([0])];
  const types: Buffer[] = [];
  const ids = new Map<string, number>();
  const text = (value: string): number => {
    const at = strings.reduce((sum, { length }) => sum + length, 0);
    strings.push(Buffer.from(`${value}\0`));
    return value === '' ? 0 : at;
  };
  const words = (...values: number[]) => {
    const buffer = Buffer.alloc(values.length * 4);
    for (const [index, value] of values.entries()) buffer.writeUInt32LE(value >>> 0, index * 4);
    return buffer;
  };
  const add = (key: string, bytes: Buffer): number => {
    types.push(bytes);
    ids.set(key, types.length);
    return types.length;
  };
  for (const size of [1, 2, 4, 8]) add(`int ${size}`, words(text(`u${size * 8}`), INT << 24, size, size * 8));
  const idOf = (type: MemberSpec['type']): number => {
    if (typeof type === 'number') return ids.get(`int ${type}`) ?? 0;
    if ('struct' in type) return ids.get(`struct ${type.struct}`) ?? 0;
    return add(`array ${ids.size}`, words(0, ARRAY << 24, 0, ids.get('int 1') ?? 0, ids.get('int 4') ?? 0, type.array));
  };
  for (const [name, { size, members }] of Object.entries(specs)) {
    const entries = Object.entries(members).map(([member, { offset, type }]) => ({ member, offset, id: idOf(type) }));
    const head = words(text(name), (STRUCT << 24) | entries.length, size);
    add(`struct ${name}`, Buffer.concat([head, ...entries.map(({ member, offset, id }) => words(text(member), id, offset * 8))]));
  }
  const body = Buffer.concat(types);
  const names = Buffer.concat(strings);
  const header = Buffer.alloc(24);
  header.writeUInt16LE(0xeb9f, 0);
  header.writeUInt8(1, 2);
  for (const [index, value] of [24, 0, body.length, body.length, names.length].entries()) header.writeUInt32LE(value, 4 + index * 4);
  return Buffer.concat([header, body, names]);
}
