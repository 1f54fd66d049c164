/** The types of a kernel (BTF), which it keeps in memory itself: where each member of a structure lies, by name. */
import { BtfSection, damaged, LAST_KIND, TYPE_BYTES, type Type } from './btf-section.js';

const MEMBER_BYTES = 12;
const KIND = { pointer: 2, array: 3, struct: 4, union: 5, enum: 6 } as const;
/** Typedefs and qualifiers: what they stand for counts. */
const PASSING = [8, 9, 10, 11, 18];
/** Of typedefs in a row, and of members without a name in each other. */
const MAX_DEPTH = 32;
/** Members looked at for one question: all of a kernel's are some 300,000. */
const MAX_STEPS = 5_000_000;

/** Where a member lies in its structure. Bit fields are not described. */
export interface Field {
  offset: number;
  sizeBytes: number;
}

interface Found {
  offset: number;
  type: number;
}

export class TypeTable {
  private readonly section: BtfSection;
  private readonly firstId: number;
  private readonly firstString: number;
  private byName: Map<string, number> | null = null;
  private steps = 0;

  /**
   * @param base types and names that this table's own numbers go on from: a module's table builds on the kernel's
   * @throws FormatError when the bytes are no BTF
   */
  constructor(
    bytes: Buffer,
    private readonly base: TypeTable | null = null,
  ) {
    this.section = new BtfSection(bytes);
    this.firstId = base ? base.lastId + 1 : 1;
    this.firstString = base ? base.firstString + base.section.stringBytes : 0;
  }

  /** Of a structure or union; null when this table does not describe it. */
  sizeOf(structure: string): number | null {
    const id = this.idOf(structure);
    return id === null ? null : this.type(id).value;
  }

  /** `path` is a member, or several joined by dots through structures within structures; members without a name are looked through. */
  field(structure: string, path: string): Field | null {
    this.begin();
    let id = this.idOf(structure);
    let offset = 0;
    for (const name of path.split('.')) {
      const found = id === null ? null : this.memberOf(this.resolved(id), name, 0);
      if (!found) return null;
      offset += found.offset;
      id = found.type;
    }
    return { offset, sizeBytes: this.sizeOfId(id ?? 0, 0) };
  }

  /** The member of this name and structure type in the first structure that has one: for structures without a name. */
  memberOfAny(member: string, structure: string): Field | null {
    this.begin();
    for (let id = this.firstId; id <= this.lastId; id++) {
      const found = this.type(id).kind === KIND.struct ? this.memberOf(id, member, 0) : null;
      if (found && this.nameOf(this.resolved(found.type)) === structure) return { offset: found.offset, sizeBytes: this.sizeOfId(found.type, 0) };
    }
    return null;
  }

  private begin(): void {
    this.steps = 0;
    this.base?.begin();
  }

  private get lastId(): number {
    return this.firstId + this.section.types - 1;
  }

  private memberOf(id: number, name: string, depth: number): Found | null {
    const owner = this.owner(id);
    if (owner !== this) return owner.memberOf(id, name, depth);
    const type = this.type(id);
    if ((type.kind !== KIND.struct && type.kind !== KIND.union) || depth > MAX_DEPTH) return null;
    for (let i = 0; i < type.elements; i++) {
      const found = this.memberAt(type, i, name, depth);
      if (found) return found;
    }
    return null;
  }

  private memberAt(type: Type, index: number, name: string, depth: number): Found | null {
    if (++this.steps > MAX_STEPS) throw damaged('structures within structures without end');
    const at = type.at + TYPE_BYTES + index * MEMBER_BYTES;
    const [nameAt = 0, memberType = 0, place = 0] = [0, 4, 8].map((field) => this.section.word(at + field));
    if (type.bitFields && place >>> 24 !== 0) return null;
    const offset = (type.bitFields ? place & 0xffffff : place) / 8;
    if (nameAt !== 0) return this.string(nameAt) === name ? { offset, type: memberType } : null;
    const inner = this.memberOf(this.resolved(memberType), name, depth + 1);
    return inner && { offset: offset + inner.offset, type: inner.type };
  }

  private sizeOfId(id: number, depth: number): number {
    const resolved = this.resolved(id);
    if (resolved === 0) return 0;
    const owner = this.owner(resolved);
    if (owner !== this) return owner.sizeOfId(resolved, depth);
    const type = this.type(resolved);
    if (type.kind === KIND.pointer) return 8;
    if (type.kind !== KIND.array) return type.kind <= KIND.enum || type.kind === LAST_KIND ? type.value : 0;
    if (depth > MAX_DEPTH) throw damaged('arrays without end');
    const element = type.at + TYPE_BYTES;
    return this.section.word(element + 8) * this.sizeOfId(this.section.word(element), depth + 1);
  }

  /** The type behind typedefs and qualifiers; 0 is none. */
  private resolved(id: number): number {
    let current = id;
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      if (current === 0) return 0;
      const type = this.owner(current).type(current);
      if (!PASSING.includes(type.kind)) return current;
      current = type.value;
    }
    throw damaged('typedefs without end');
  }

  private owner(id: number): TypeTable {
    return this.base && id < this.firstId ? this.base.owner(id) : this;
  }

  private type(id: number): Type {
    return this.section.type(id - this.firstId);
  }

  /** The first structure or union of this name: kernels have a few names twice, and none of those is asked for. */
  private idOf(structure: string): number | null {
    this.byName ??= this.names();
    return this.byName.get(structure) ?? null;
  }

  private names(): Map<string, number> {
    const names = new Map<string, number>();
    for (let id = this.firstId; id <= this.lastId; id++) {
      const { kind, nameAt } = this.type(id);
      if (kind !== KIND.struct && kind !== KIND.union) continue;
      const name = this.string(nameAt);
      if (!names.has(name)) names.set(name, id);
    }
    return names;
  }

  private nameOf(id: number): string {
    const owner = this.owner(id);
    if (owner !== this) return owner.nameOf(id);
    return id === 0 ? '' : this.string(this.type(id).nameAt);
  }

  private string(at: number): string {
    return at < this.firstString ? (this.base?.string(at) ?? '') : this.section.string(at - this.firstString);
  }
}
