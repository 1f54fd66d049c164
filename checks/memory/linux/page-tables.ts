/**
 * The virtual memory of a kernel on x86-64, through its page tables.
 * Format: "Intel 64 and IA-32 Architectures Software Developer's Manual", volume 3, chapter "Paging".
 */
import type { GuestRam } from '../../../src/ways.js';

export const PAGE_BYTES = 4096;
const PRESENT = 1n;
const LARGE = 0x80n;
const FRAME = 0x000f_ffff_ffff_f000n;
const INDEX_MASK = 511n;
/** Bits of an address below the index of each level: page table, directory, directory pointers, level 4, level 5. */
const SHIFTS = [12n, 21n, 30n, 39n, 48n];
const LARGEST_PAGE_LEVEL = 2;
const MAX_TRANSLATIONS = 200_000;
const MAX_CACHED_PAGES = 4096;
const ZEROES = Buffer.alloc(PAGE_BYTES);

export interface PageTables {
  /** Physical address of the topmost table. */
  root: number;
  levels: 4 | 5;
}

/** Whatever the guest wrote, reads give bytes or null. */
export class VirtualMemory {
  /** Physical page by virtual page number; null: not mapped. */
  private readonly translations = new Map<number, number | null>();
  private readonly pages = new Map<number, Buffer>();

  constructor(
    private readonly ram: GuestRam,
    private readonly tables: PageTables,
    /** Whoever reads on and on is stopped here. */
    private readonly signal?: AbortSignal,
  ) {}

  /** Physical address; null when nothing is mapped there. */
  async translate(address: bigint): Promise<number | null> {
    const number = Number(BigInt.asUintN(64, address) >> 12n);
    let page = this.translations.get(number);
    if (page === undefined) {
      page = await this.walk(BigInt.asUintN(64, address));
      if (this.translations.size >= MAX_TRANSLATIONS) this.translations.clear();
      this.translations.set(number, page);
    }
    return page === null ? null : page + Number(address & 0xfffn);
  }

  /** All the bytes, or null when a part of them is not mapped or not in RAM. */
  async read(address: bigint, lengthBytes: number): Promise<Buffer | null> {
    const bytes = await this.readUpTo(address, lengthBytes);
    return bytes.length === lengthBytes ? bytes : null;
  }

  /** The bytes as far as they are mapped without a gap. */
  async readUpTo(address: bigint, lengthBytes: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let done = 0; done < lengthBytes; ) {
      const physical = await this.translate(address + BigInt(done));
      const page = physical === null ? null : await this.physicalPage(physical - (physical % PAGE_BYTES));
      if (physical === null || page === null) break;
      const from = physical % PAGE_BYTES;
      const part = page.subarray(from, Math.min(PAGE_BYTES, from + lengthBytes - done));
      parts.push(part);
      done += part.length;
    }
    const [only] = parts;
    return parts.length === 1 && only ? only : Buffer.concat(parts);
  }

  /** A region with holes, which read as zeroes; it ends where a hole is longer than the given one. */
  async readRegion(address: bigint, limitBytes: number, longestHoleBytes: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let [whole, hole] = [0, 0];
    for (let done = 0; done < limitBytes && hole <= longestHoleBytes; done += PAGE_BYTES) {
      const page = await this.read(address + BigInt(done), PAGE_BYTES);
      parts.push(page ?? ZEROES);
      hole = page ? 0 : hole + PAGE_BYTES;
      if (page) whole = parts.length;
    }
    return Buffer.concat(parts.slice(0, whole));
  }

  async pointer(address: bigint): Promise<bigint | null> {
    return (await this.read(address, 8))?.readBigUInt64LE(0) ?? null;
  }

  /** A page of RAM by its physical address, or null when there is no RAM. The caller must not write to it. */
  async physicalPage(address: number): Promise<Buffer | null> {
    this.signal?.throwIfAborted();
    const cached = this.pages.get(address);
    if (cached) return cached;
    if (!holds(this.ram, address, PAGE_BYTES)) return null;
    const page = await this.ram.read(address, PAGE_BYTES);
    if (this.pages.size >= MAX_CACHED_PAGES) this.pages.clear();
    this.pages.set(address, page);
    return page;
  }

  private async walk(address: bigint): Promise<number | null> {
    let table = this.tables.root;
    for (let level = this.tables.levels - 1; level >= 0; level--) {
      const shift = SHIFTS[level] as bigint;
      const entries = await this.physicalPage(table);
      const entry = entries?.readBigUInt64LE(Number((address >> shift) & INDEX_MASK) * 8);
      if (entry === undefined || (entry & PRESENT) === 0n) return null;
      const inPage = (1n << shift) - 1n;
      if (level === 0 || (level <= LARGEST_PAGE_LEVEL && (entry & LARGE) !== 0n)) return Number((entry & FRAME & ~inPage) | (address & inPage & ~0xfffn));
      table = Number(entry & FRAME);
    }
    return null;
  }
}

export function holds(ram: GuestRam, address: number, lengthBytes: number): boolean {
  return ram.ranges.some((range) => address >= range.address && address + lengthBytes <= range.address + range.lengthBytes);
}
