/** A running Linux kernel in the memory of a guest: its virtual memory, its symbols and its types, found without symbol files. */
import { FormatError } from '../../../src/errors.js';
import type { Field, TypeTable } from './btf.js';
import type { VirtualMemory } from './page-tables.js';
import type { VmcoreInfo } from './vmcoreinfo.js';

/** No structure that is looked at is larger; a size in a guest's memory never decides what is read. */
const MAX_STRUCTURE_BYTES = 1024 * 1024;
/** Elements of a list, such as mounted file systems or tasks, unless the caller knows better. */
const MAX_LIST = 100_000;

export class LinuxKernel {
  constructor(
    readonly release: string,
    readonly info: VmcoreInfo,
    readonly memory: VirtualMemory,
    readonly symbols: ReadonlyMap<string, bigint>,
    /** `vmlinux`, and the modules by name; null when the kernel keeps no types. */
    readonly types: ReadonlyMap<string, TypeTable> | null,
  ) {}

  /** @throws FormatError when the kernel has no such symbol */
  symbol(name: string): bigint {
    const address = this.symbols.get(name);
    if (address === undefined) throw unknown(`symbol ${name}`);
    return address;
  }

  /** Member of a structure, by the first of the paths that this kernel knows: members are renamed now and then. @throws FormatError */
  field(structure: string, ...paths: string[]): Field {
    for (const path of paths) {
      for (const table of this.types?.values() ?? []) {
        const field = table.field(structure, path);
        if (field) return field;
      }
    }
    throw unknown(`member ${structure}.${paths.join(' or ')}`);
  }

  hasField(structure: string, path: string): boolean {
    return [...(this.types?.values() ?? [])].some((table) => table.field(structure, path) !== null);
  }

  sizeOf(structure: string): number {
    for (const table of this.types?.values() ?? []) {
      const size = table.sizeOf(structure);
      if (size !== null) return size;
    }
    throw unknown(`structure ${structure}`);
  }

  /** One structure, read at once. @throws FormatError when it is not in memory */
  async view(structure: string, address: bigint): Promise<StructureView> {
    const size = this.sizeOf(structure);
    const bytes = size <= MAX_STRUCTURE_BYTES ? await this.memory.read(address, size) : null;
    if (!bytes) throw unknown(`${structure} at ${address.toString(16)}`);
    return new StructureView(this, structure, address, bytes);
  }

  /** @throws FormatError */
  async pointer(address: bigint): Promise<bigint> {
    const value = await this.memory.pointer(address);
    if (value === null) throw unknown(`pointer at ${address.toString(16)}`);
    return value;
  }

  /** Addresses of the structures whose member is linked into a circular list. @throws FormatError when the list does not come round */
  async list(head: bigint, structure: string, member: string, most = MAX_LIST): Promise<bigint[]> {
    const { offset } = this.field(structure, member);
    const elements: bigint[] = [];
    for (let next = await this.pointer(head); next !== head; next = await this.pointer(next)) {
      if (elements.length >= most || next === 0n) throw unknown(`list of ${structure} that comes round`);
      elements.push(next - BigInt(offset));
    }
    return elements;
  }
}

export class StructureView {
  constructor(
    private readonly kernel: LinuxKernel,
    private readonly structure: string,
    readonly address: bigint,
    private readonly bytes: Buffer,
  ) {}

  has(path: string): boolean {
    return this.kernel.hasField(this.structure, path);
  }

  /** Unsigned, of 1, 2, 4 or 8 bytes. @throws FormatError */
  value(...paths: string[]): bigint {
    const { offset, sizeBytes } = this.kernel.field(this.structure, ...paths);
    if (![1, 2, 4, 8].includes(sizeBytes) || offset + sizeBytes > this.bytes.length) throw unknown(`number ${this.structure}.${paths[0]}`);
    if (sizeBytes === 8) return this.bytes.readBigUInt64LE(offset);
    return BigInt(this.bytes.readUIntLE(offset, sizeBytes));
  }

  number(...paths: string[]): number {
    return Number(this.value(...paths));
  }

  signed(...paths: string[]): bigint {
    const { sizeBytes } = this.kernel.field(this.structure, ...paths);
    return BigInt.asIntN(sizeBytes * 8, this.value(...paths));
  }

  slice(...paths: string[]): Buffer {
    const { offset, sizeBytes } = this.kernel.field(this.structure, ...paths);
    return this.bytes.subarray(offset, offset + sizeBytes);
  }

  text(...paths: string[]): string {
    const bytes = this.slice(...paths);
    const end = bytes.indexOf(0);
    return bytes.toString('latin1', 0, end < 0 ? bytes.length : end).replace(/[^\x20-\x7e]/g, '?');
  }

  /** Address of a member. */
  place(...paths: string[]): bigint {
    return this.address + BigInt(this.kernel.field(this.structure, ...paths).offset);
  }

  /** The structure that a member points to. @throws FormatError */
  async follow(path: string, structure: string): Promise<StructureView> {
    return this.kernel.view(structure, this.value(path));
  }
}

function unknown(what: string): FormatError {
  return new FormatError({ code: 'memory.linux.unknown', message: `the kernel in the saved memory shows no ${what}` });
}
