import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/errors.js';
import { buildTypes } from '../testing/btf.js';
import { TypeTable } from './btf.js';

const BYTES = buildTypes({
  inner: { size: 16, members: { number: { offset: 4, type: 4 }, text: { offset: 8, type: { array: 8 } } } },
  outer: {
    size: 64,
    members: { first: { offset: 0, type: 8 }, inside: { offset: 24, type: { struct: 'inner' } }, '': { offset: 40, type: { struct: 'inner' } } },
  },
});

describe('the types of a kernel', () => {
  const table = new TypeTable(BYTES);

  it('say where members lie, through structures and members without a name', () => {
    expect(table.sizeOf('outer')).toBe(64);
    expect(table.field('outer', 'first')).toEqual({ offset: 0, sizeBytes: 8 });
    expect(table.field('outer', 'inside')).toEqual({ offset: 24, sizeBytes: 16 });
    expect(table.field('outer', 'inside.text')).toEqual({ offset: 32, sizeBytes: 8 });
    expect(table.field('outer', 'number')).toEqual({ offset: 44, sizeBytes: 4 });
    expect(table.memberOfAny('inside', 'inner')).toEqual({ offset: 24, sizeBytes: 16 });
  });

  it('know nothing of others', () => {
    expect(table.field('outer', 'other')).toBeNull();
    expect(table.field('outer', 'first.second')).toBeNull();
    expect(table.field('other', 'first')).toBeNull();
    expect(table.sizeOf('other')).toBeNull();
    expect(table.memberOfAny('first', 'inner')).toBeNull();
  });

  it('go on in the table of a module', () => {
    const own = buildTypes({ of_module: { size: 8, members: { value: { offset: 4, type: 4 } } } });
    expect(own.readUInt16LE(0)).toBe(0xeb9f);
    const module = new TypeTable(Buffer.from(rebased(own, BYTES)), table);
    expect(module.field('of_module', 'value')).toEqual({ offset: 4, sizeBytes: 4 });
    expect(module.field('outer', 'first')).toBeNull();
  });

  it('end in a FormatError or an answer, whatever bytes are broken', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(BYTES.length - 1), fc.nat(255)), { minLength: 1, maxLength: 20 }), (changes) => {
        const bytes = Buffer.from(BYTES);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          const broken = new TypeTable(bytes);
          broken.field('outer', 'inside.text');
          broken.memberOfAny('inside', 'inner');
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('end soon when structures without names stand in each other many times', () => {
    const members = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [' '.repeat(i), { offset: 0, type: { struct: 'deep0' } }]));
    const specs: Parameters<typeof buildTypes>[0] = { deep0: { size: 8, members: { end: { offset: 0, type: 8 } } } };
    for (let depth = 1; depth < 12; depth++)
      specs[`deep${depth}`] = {
        size: 8,
        members: Object.fromEntries(Object.keys(members).map((name) => [name, { offset: 0, type: { struct: `deep${depth - 1}` } }])),
      };
    const table = new TypeTable(nameless(buildTypes(specs)));
    expect(() => table.field('deep11', 'other')).toThrow(FormatError);
  });
});

/** Numbers of types and names of a table, moved behind those of its base. */
function rebased(own: Buffer, base: Buffer): Buffer {
  const bytes = Buffer.from(own);
  const baseTypes = 4 + 1 + 1 + 1; // four numbers, one array, two structures
  const baseStrings = base.readUInt32LE(20);
  const [header, length] = [24, bytes.readUInt32LE(12)];
  for (let at = header; at < header + length; ) {
    const kind = (bytes.readUInt32LE(at + 4) >>> 24) & 31;
    const elements = bytes.readUInt32LE(at + 4) & 0xffff;
    const moved = (place: number, by: number) => bytes.readUInt32LE(place) !== 0 && bytes.writeUInt32LE(bytes.readUInt32LE(place) + by, place);
    moved(at, baseStrings);
    for (let i = 0; kind === 4 && i < elements; i++) {
      moved(at + 12 + i * 12, baseStrings);
      moved(at + 12 + i * 12 + 4, baseTypes);
    }
    at += 12 + (kind === 1 ? 4 : 0) + (kind === 4 ? elements * 12 : 0);
  }
  return bytes;
}

/** Takes the names of all members whose name is blank. */
function nameless(bytes: Buffer): Buffer {
  const [header, length] = [24, bytes.readUInt32LE(12)];
  const strings = bytes.subarray(header + bytes.readUInt32LE(16));
  for (let at = header; at < header + length; ) {
    const kind = (bytes.readUInt32LE(at + 4) >>> 24) & 31;
    const elements = bytes.readUInt32LE(at + 4) & 0xffff;
    for (let i = 0; kind === 4 && i < elements; i++) {
      const place = at + 12 + i * 12;
      const name = strings[bytes.readUInt32LE(place)];
      if (name === 0x20 || name === 0) bytes.writeUInt32LE(0, place);
    }
    at += 12 + (kind === 1 ? 4 : 0) + (kind === 4 ? elements * 12 : 0);
  }
  return bytes;
}
