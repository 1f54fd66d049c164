/**
 * BTF, the description of a kernel's types that the kernel itself keeps in memory: where each member of a structure lies.
 * Format: the Linux kernel's documentation, bpf/btf.rst.
 */
import { FormatError } from '../../../src/errors.js';

const MAGIC = 0xeb9f;
const HEADER_BYTES = 24;
const TYPE_BYTES = 12;
const MEMBER_BYTES = 12;
const KIND = { pointer: 2, array: 3, struct: 4, union: 5, typedef: 8, volatile: 9, const: 10, restrict: 11, typeTag: 18 } as const;
const ENUM = 6;
/** Bytes after the common part: fixed, or for each of its `vlen` elements. Kinds that are not named have none. */
const FIXED_BYTES: Record<number, number> = { 1: 4, 3: 12, 14: 4, 17: 4 };
const ELEMENT_BYTES: Record<number, number> = { 4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12 };
const LAST_KIND = 19;
const MAX_TYPES = 2_000_000;
/** Of typedefs in a row, and of members without a name in each other. */
const MAX_DEPTH = 32;

/** Where a member lies in its structure. Bit fields are not described. */
export interface Field {
  offset: number;
  sizeBytes: number;
}

interface Type {
  at: number;
  kind: number;
  elements: number;
  bitFields: boolean;
  /** Size in bytes, or the type it refers to. */
  value: number;
}

interface Found {
  offset: number;
  type: number;
}

export class TypeTable {
  private readonly starts: number[] = [];
  private readonly strings: Buffer;
  private byName: Map<string, number[]> | null = null;
  private readonly firstId: number;
  private readonly firstString: number;

  /**
   * @param base types and names that this table's own numbers go on from: a module's table builds on the kernel's
   * @throws FormatError when the bytes are no BTF
   */
  constructor(
    private readonly bytes: Buffer,
    private readonly base: TypeTable | null = null,
  ) {
    if (bytes.length < HEADER_BYTES || bytes.readUInt16LE(0) !== MAGIC || bytes.readUInt8(2) !== 1) throw damaged('no header');
    const [header = 0, typesAt = 0, typesLength = 0, stringsAt = 0, stringsLength = 0] = [4, 8, 12, 16, 20].map((at) => bytes.readUInt32LE(at));
    const end = header + typesAt + typesLength;
    if (header < HEADER_BYTES || end > bytes.length || header + stringsAt + stringsLength > bytes.length) throw damaged('sections beyond its end');
    this.strings = bytes.subarray(header + stringsAt, header + stringsAt + stringsLength);
    this.firstId = base ? base.lastId + 1 : 1;
    this.firstString = base ? base.firstString + base.strings.length : 0;
    this.index(header + typesAt, end);
  }

  get lastId(): number {
    return this.firstId + this.starts.length - 1;
  }

  /** Of a structure or union; null when this table does not describe it. */
  sizeOf(structure: string): number | null {
    const id = this.idOf(structure);
    return id === null ? null : this.type(id).value;
  }

  /** `path` is a member, or several joined by dots through structures within structures; members without a name are looked through. */
  field(structure: string, path: string): Field | null {
    const id = this.idOf(structure);
    return id === null ? null : this.fieldOf(id, path);
  }

  /** Names of structures that have a member of this name and of the given structure type. */
  holdersOf(member: string, structure: string): Field | null {
    for (let id = this.firstId; id <= this.lastId; id++) {
      const type = this.type(id);
      if (type.kind !== KIND.struct) continue;
      const found = this.memberOf(id, member, 0);
      if (found && this.nameOf(this.resolved(found.type)) === structure) return { offset: found.offset, sizeBytes: this.sizeOfId(found.type, 0) };
    }
    return null;
  }

  private fieldOf(structure: number, path: string): Field | null {
    let id = structure;
    let offset = 0;
    for (const name of path.split('.')) {
      const found = this.memberOf(this.resolved(id), name, 0);
      if (!found) return null;
      offset += found.offset;
      id = found.type;
    }
    return { offset, sizeBytes: this.sizeOfId(id, 0) };
  }

  private memberOf(id: number, name: string, depth: number): Found | null {
    const owner = this.owner(id);
    if (owner !== this) return owner.memberOf(id, name, depth);
    const type = this.type(id);
    if ((type.kind !== KIND.struct && type.kind !== KIND.union) || depth > MAX_DEPTH) return null;
    for (let i = 0; i < type.elements; i++) {
      const at = type.at + TYPE_BYTES + i * MEMBER_BYTES;
      const [nameAt = 0, memberType = 0, place = 0] = [0, 4, 8].map((field) => this.bytes.readUInt32LE(at + field));
      const bits = type.bitFields ? place & 0xffffff : place;
      if (type.bitFields && place >>> 24 !== 0) continue;
      if (nameAt !== 0 && this.isString(nameAt, name)) return { offset: bits / 8, type: memberType };
      const inner = nameAt === 0 ? this.memberOf(this.resolved(memberType), name, depth + 1) : null;
      if (inner) return { offset: bits / 8 + inner.offset, type: inner.type };
    }
    return null;
  }

  private sizeOfId(id: number, depth: number): number {
    const owner = this.owner(id);
    if (owner !== this) return owner.sizeOfId(id, depth);
    const resolved = this.resolved(id);
    if (resolved !== id) return this.sizeOfId(resolved, depth);
    if (id === 0) return 0;
    const type = this.type(id);
    if (type.kind === KIND.pointer) return 8;
    if (type.kind !== KIND.array) return type.kind <= ENUM || type.kind === LAST_KIND ? type.value : 0;
    if (depth > MAX_DEPTH) throw damaged('arrays without end');
    return this.bytes.readUInt32LE(type.at + TYPE_BYTES + 8) * this.sizeOfId(this.bytes.readUInt32LE(type.at + TYPE_BYTES), depth + 1);
  }

  /** The type behind typedefs and qualifiers. */
  private resolved(id: number): number {
    let current = id;
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      if (current === 0) return 0;
      const type = this.owner(current).type(current);
      const passes = [KIND.typedef, KIND.volatile, KIND.const, KIND.restrict, KIND.typeTag].some((kind) => kind === type.kind);
      if (!passes) return current;
      current = type.value;
    }
    throw damaged('typedefs without end');
  }

  private owner(id: number): TypeTable {
    return this.base && id < this.firstId ? this.base.owner(id) : this;
  }

  private type(id: number): Type {
    const at = this.starts[id - this.firstId];
    if (at === undefined) throw damaged(`a type ${id} that it does not have`);
    const info = this.bytes.readUInt32LE(at + 4);
    return { at, kind: (info >>> 24) & 31, elements: info & 0xffff, bitFields: info >>> 31 === 1, value: this.bytes.readUInt32LE(at + 8) };
  }

  private index(from: number, end: number): void {
    for (let at = from; at < end; ) {
      if (at + TYPE_BYTES > end || this.starts.length >= MAX_TYPES) throw damaged('types that do not end where they should');
      this.starts.push(at);
      const info = this.bytes.readUInt32LE(at + 4);
      const kind = (info >>> 24) & 31;
      if (kind === 0 || kind > LAST_KIND) throw damaged(`a type of kind ${kind}`);
      at += TYPE_BYTES + (FIXED_BYTES[kind] ?? 0) + (ELEMENT_BYTES[kind] ?? 0) * (info & 0xffff);
      if (at > end) throw damaged('types that do not end where they should');
    }
  }

  /** The first structure or union of this name: kernels have a few names twice, and none of those is asked for. */
  private idOf(structure: string): number | null {
    this.byName ??= this.names();
    return this.byName.get(structure)?.[0] ?? null;
  }

  private names(): Map<string, number[]> {
    const names = new Map<string, number[]>();
    for (let id = this.firstId; id <= this.lastId; id++) {
      const { kind } = this.type(id);
      if (kind !== KIND.struct && kind !== KIND.union) continue;
      const name = this.nameOf(id);
      const known = names.get(name);
      if (known) known.push(id);
      else names.set(name, [id]);
    }
    return names;
  }

  private nameOf(id: number): string {
    const owner = this.owner(id);
    if (owner !== this) return owner.nameOf(id);
    return id === 0 ? '' : this.string(this.bytes.readUInt32LE(this.type(id).at));
  }

  private string(at: number): string {
    if (at < this.firstString) return this.base?.string(at) ?? '';
    const from = at - this.firstString;
    const end = this.strings.indexOf(0, from);
    return end < 0 || from >= this.strings.length ? '' : this.strings.toString('latin1', from, end);
  }

  private isString(at: number, text: string): boolean {
    return this.string(at) === text;
  }
}

function damaged(what: string): FormatError {
  return new FormatError({ code: 'memory.btf', message: `the type information in the kernel's memory cannot be used: ${what}` });
}
