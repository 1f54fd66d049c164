/**
 * The bytes of BTF: a header, types one after the other, names at the end.
 * Format: the Linux kernel's documentation, bpf/btf.rst.
 */
import { FormatError } from '../../../src/errors.js';

const MAGIC = 0xeb9f;
const HEADER_BYTES = 24;
export const TYPE_BYTES = 12;
/** Bytes after the common part: fixed, or for each of its elements. Kinds that are not named have none. */
const FIXED_BYTES: Record<number, number> = { 1: 4, 3: 12, 14: 4, 17: 4 };
const ELEMENT_BYTES: Record<number, number> = { 4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12 };
export const LAST_KIND = 19;
const MAX_TYPES = 2_000_000;

export interface Type {
  /** Of the type's bytes in the section. */
  at: number;
  nameAt: number;
  kind: number;
  elements: number;
  bitFields: boolean;
  /** Size in bytes, or the type it refers to. */
  value: number;
}

export class BtfSection {
  private readonly starts: number[] = [];
  private readonly strings: Buffer;

  /** @throws FormatError when the bytes are no BTF */
  constructor(private readonly bytes: Buffer) {
    if (bytes.length < HEADER_BYTES || bytes.readUInt16LE(0) !== MAGIC || bytes.readUInt8(2) !== 1) throw damaged('no header');
    const [header = 0, typesAt = 0, typesLength = 0, stringsAt = 0, stringsLength = 0] = [4, 8, 12, 16, 20].map((at) => bytes.readUInt32LE(at));
    const end = header + typesAt + typesLength;
    if (header < HEADER_BYTES || end > bytes.length || header + stringsAt + stringsLength > bytes.length) throw damaged('sections beyond its end');
    this.strings = bytes.subarray(header + stringsAt, header + stringsAt + stringsLength);
    this.index(header + typesAt, end);
  }

  get types(): number {
    return this.starts.length;
  }

  get stringBytes(): number {
    return this.strings.length;
  }

  /** By its place in the section, from 0. */
  type(index: number): Type {
    const at = this.starts[index];
    if (at === undefined) throw damaged(`a type ${index} that it does not have`);
    const info = this.word(at + 4);
    const kind = (info >>> 24) & 31;
    return { at, nameAt: this.word(at), kind, elements: info & 0xffff, bitFields: info >>> 31 === 1, value: this.word(at + 8) };
  }

  /** Of a place that `type` gave, inside its type. */
  word(at: number): number {
    return this.bytes.readUInt32LE(at);
  }

  /** Empty when there is none. */
  string(at: number): string {
    const end = this.strings.indexOf(0, at);
    return end < 0 || at >= this.strings.length ? '' : this.strings.toString('latin1', at, end);
  }

  private index(from: number, end: number): void {
    for (let at = from; at < end; ) {
      if (at + TYPE_BYTES > end || this.starts.length >= MAX_TYPES) throw damaged('types that do not end where they should');
      this.starts.push(at);
      const info = this.word(at + 4);
      const kind = (info >>> 24) & 31;
      if (kind === 0 || kind > LAST_KIND) throw damaged(`a type of kind ${kind}`);
      at += TYPE_BYTES + (FIXED_BYTES[kind] ?? 0) + (ELEMENT_BYTES[kind] ?? 0) * (info & 0xffff);
      if (at > end) throw damaged('types that do not end where they should');
    }
  }
}

export function damaged(what: string): FormatError {
  return new FormatError({ code: 'memory.btf', message: `the type information in the kernel's memory cannot be used: ${what}` });
}
