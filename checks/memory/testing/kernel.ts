/** A Linux kernel made by a test: it describes itself in memory as a real one does, and is as small as what is asked of it. */
import type { CpuFacts } from '../../../src/ways.js';
import { buildTypes, type StructSpecs } from './btf.js';
import { LARGE_PAGE_BYTES, TestRam } from './ram.js';

const IMAGE = 0xffff_ffff_8000_0000n;
const TEXT_PHYSICAL = 16 * 1024 * 1024;
const INFO_PAGE = 0x10_000;
const IMAGE_BYTES = 2 * LARGE_PAGE_BYTES;
const RAM_BYTES = 32 * 1024 * 1024;

export interface KernelSpec {
  release?: string;
  structs?: StructSpecs;
  /** More lines for the kernel's description of itself. */
  info?: string[];
  /** As before 6.0: the kernel does not say where its symbols lie. */
  hiddenSymbols?: boolean;
  /** Moves the whole kernel in RAM: several fit into one. */
  moved?: { ram: TestRam; pages: number; root: number };
}

export class TestKernel {
  readonly ram: TestRam;
  readonly infoPage: number;
  readonly root: number;
  private readonly text: number;
  private next: number;
  private readonly symbols = new Map<string, bigint>();

  constructor(private readonly spec: KernelSpec = {}) {
    const { moved } = spec;
    this.ram = moved?.ram ?? new TestRam(RAM_BYTES);
    this.root = moved?.root ?? this.ram.root;
    this.text = TEXT_PHYSICAL + (moved?.pages ?? 0) * LARGE_PAGE_BYTES;
    this.infoPage = INFO_PAGE + (moved?.pages ?? 0) * 4096;
    this.next = this.text + 4096;
    const first = this.virtual(this.text);
    for (let at = 0; at < IMAGE_BYTES; at += LARGE_PAGE_BYTES) this.ram.map(first + BigInt(at), this.text + at, true, this.root);
    this.symbols.set('_stext', first);
    this.symbols.set('swapper_pg_dir', IMAGE + BigInt(this.root));
  }

  /** Puts bytes into the kernel's memory. */
  place(bytes: Buffer, symbol?: string): bigint {
    this.next = Math.ceil(this.next / 64) * 64;
    const address = this.virtual(this.next);
    bytes.copy(this.ram.bytes, this.next);
    this.next += bytes.length;
    if (symbol !== undefined) this.symbols.set(symbol, address);
    return address;
  }

  /** Room that is filled later. */
  room(lengthBytes: number, symbol?: string): bigint {
    return this.place(Buffer.alloc(lengthBytes), symbol);
  }

  write(address: bigint, bytes: Buffer): void {
    bytes.copy(this.ram.bytes, this.physical(address));
  }

  writePointer(address: bigint, value: bigint): void {
    this.ram.bytes.writeBigUInt64LE(BigInt.asUintN(64, value), this.physical(address));
  }

  /** A circular list through members at `offset` of the elements. */
  link(head: bigint, elements: bigint[], offset: number): void {
    const nodes = [head, ...elements.map((element) => element + BigInt(offset))];
    for (const [index, node] of nodes.entries()) this.writePointer(node, nodes[(index + 1) % nodes.length] as bigint);
  }

  /** Writes what the kernel says of itself: call it last. */
  finish(): this {
    const { release = '6.1.0-test', structs, info = [], hiddenSymbols = false } = this.spec;
    const name = Buffer.alloc(6 * 65);
    name.write('Linux\0', 0);
    name.write(`${release}\0`, 130);
    this.place(name, 'init_uts_ns');
    if (structs) {
      const types = buildTypes(structs);
      const start = this.place(types, '__start_BTF');
      this.symbols.set('__stop_BTF', start + BigInt(types.length));
    }
    const tables = this.placeSymbols();
    const plain = ['_stext', 'swapper_pg_dir', 'init_uts_ns'].map((symbol) => [symbol, this.symbols.get(symbol) ?? 0n] as const);
    const lines = [
      `OSRELEASE=${release}`,
      ...[...plain, ...(hiddenSymbols ? [] : tables)].map(([symbol, address]) => `SYMBOL(${symbol})=${address.toString(16)}`),
      ...['OFFSET(uts_namespace.name)=0', 'NUMBER(phys_base)=0', 'NUMBER(pgtable_l5_enabled)=0', ...info],
    ];
    this.ram.bytes.write(`${lines.join('\n')}\n\0`, this.infoPage);
    return this;
  }

  /** One that runs this kernel. */
  cpu(): CpuFacts {
    return { index: 0, halted: false, interruptsEnabled: true, mode: 'long', registers: { cr3: this.root.toString(16) } };
  }

  private virtual(physical: number): bigint {
    return IMAGE + BigInt(physical);
  }

  private physical(address: bigint): number {
    return Number(address - IMAGE);
  }

  /** In the order in which kernels before 6.2 keep them; every token is one character. */
  private placeSymbols(): [string, bigint][] {
    const filler = Array.from({ length: 600 }, (_, index): [string, bigint] => [`filler_${index}`, 0n]);
    const all = [...filler, ...this.symbols];
    const base = IMAGE;
    const offsets = Buffer.alloc(Math.ceil(all.length / 2) * 8);
    for (const [index, [, address]] of all.entries()) offsets.writeInt32LE(address === 0n ? index : Number(base - 1n - address), index * 4);
    const packed = all.map(([symbol]) => Buffer.from([symbol.length + 1, ...Buffer.from(`T${symbol}`)]));
    const marks = packed.flatMap((_, index) => (index % 256 === 0 ? [packed.slice(0, index).reduce((sum, { length }) => sum + length, 0)] : []));
    const parts: [string, Buffer][] = [
      ['kallsyms_offsets', offsets],
      ['kallsyms_relative_base', number64(base)],
      ['kallsyms_num_syms', number64(BigInt(all.length))],
      ['kallsyms_names', padded(Buffer.concat(packed))],
      ['kallsyms_markers', padded(Buffer.concat(marks.map((mark) => number64(BigInt(mark)).subarray(0, 4))))],
      ['kallsyms_token_table', padded(Buffer.concat(TOKENS.map((token) => Buffer.from(`${token}\0`, 'latin1'))))],
      ['kallsyms_token_index', Buffer.concat(TOKENS.map((_, index) => number64(BigInt(index * 2)).subarray(0, 2)))],
    ];
    let at = this.place(Buffer.concat(parts.map(([, bytes]) => bytes)));
    return parts.map(([symbol, bytes]) => {
      const place = at;
      at += BigInt(bytes.length);
      return [symbol, place];
    });
  }
}

const TOKENS = Array.from({ length: 256 }, (_, code) => (code === 0 ? '?' : String.fromCharCode(code)));

export function number64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes;
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);
}
