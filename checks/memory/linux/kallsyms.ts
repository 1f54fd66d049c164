/**
 * The table of symbols that a Linux kernel keeps of itself (kallsyms): names packed with 256 tokens, and their addresses.
 * Described in the Linux kernel's documentation of vmcoreinfo (admin-guide/kdump/vmcoreinfo.rst) and by what scripts/kallsyms prints.
 */
import type { VirtualMemory } from './page-tables.js';
import type { VmcoreInfo } from './vmcoreinfo.js';

const TOKENS = 256;
const TOKEN_TABLE_BYTES = 16 * 1024;
const MAX_SYMBOLS = 1_000_000;
const MAX_NAME_BYTES = 16 * 1024 * 1024;
const MAX_TOKEN_BYTES = 64;
/** From this length on, the length takes two bytes (kernel 6.1 and later). */
const LONG_NAME = 0x80;

/** Where the parts of the table lie. */
export interface SymbolTablePlaces {
  count: number;
  names: bigint;
  tokenTable: bigint;
  tokenIndex: bigint;
  offsets: bigint;
  /** Null: every offset counts from its own place. */
  relativeBase: bigint | null;
}

/** An address that is known otherwise: it tells how the offsets are to be read. */
export interface KnownSymbol {
  name: string;
  address: bigint;
}

/** Names the places as vmcoreinfo of kernel 6.0 and later does; null when it does not. */
export async function symbolTablePlaces(memory: VirtualMemory, { symbols }: VmcoreInfo): Promise<SymbolTablePlaces | null> {
  const [names, tokenTable, tokenIndex, offsets, countAt] = ['names', 'token_table', 'token_index', 'offsets', 'num_syms'].map((part) =>
    symbols.get(`kallsyms_${part}`),
  );
  if (!names || !tokenTable || !tokenIndex || !offsets || !countAt) return null;
  const count = (await memory.read(countAt, 4))?.readUInt32LE(0);
  const baseAt = symbols.get('kallsyms_relative_base');
  const relativeBase = baseAt === undefined ? null : await memory.pointer(baseAt);
  return count === undefined ? null : { count, names, tokenTable, tokenIndex, offsets, relativeBase };
}

/** Addresses of the wanted symbols, as far as they are there; null when the table cannot be read or gives a known symbol another address. */
export async function readSymbols(
  memory: VirtualMemory,
  places: SymbolTablePlaces,
  wanted: ReadonlySet<string>,
  known: KnownSymbol,
): Promise<Map<string, bigint> | null> {
  if (places.count < 1 || places.count > MAX_SYMBOLS) return null;
  const tokens = await readTokens(memory, places);
  const names = await memory.readUpTo(places.names, Math.min(places.count * 64, MAX_NAME_BYTES));
  const offsets = await memory.read(places.offsets, places.count * 4);
  if (!tokens || !offsets) return null;
  const indexes = findNames(names, tokens, places.count, new Set([...wanted, known.name]));
  const knownIndex = indexes?.get(known.name);
  if (!indexes || knownIndex === undefined) return null;
  const address = addressings(offsets, places).find((candidate) => candidate(knownIndex) === known.address);
  return address ? new Map([...indexes].map(([name, index]) => [name, address(index)])) : null;
}

/** The ways in which kernels have kept addresses: split at zero for per-CPU symbols, plain, or from the offset's own place. */
function addressings(offsets: Buffer, places: SymbolTablePlaces): ((index: number) => bigint)[] {
  const { relativeBase } = places;
  const own = (index: number) => BigInt.asUintN(64, places.offsets + BigInt(index * 4) + BigInt(offsets.readInt32LE(index * 4)));
  if (relativeBase === null) return [own];
  const split = (index: number) => {
    const offset = BigInt(offsets.readInt32LE(index * 4));
    return offset >= 0n ? offset : BigInt.asUintN(64, relativeBase - 1n - offset);
  };
  return [split, (index) => relativeBase + BigInt(offsets.readUInt32LE(index * 4))];
}

async function readTokens(memory: VirtualMemory, places: SymbolTablePlaces): Promise<string[] | null> {
  const index = await memory.read(places.tokenIndex, TOKENS * 2);
  const table = await memory.readUpTo(places.tokenTable, TOKEN_TABLE_BYTES);
  return index && splitTokens(table, index);
}

/** @returns null when a token does not end within the table, or is longer than any */
export function splitTokens(table: Buffer, index: Buffer): string[] | null {
  const tokens: string[] = [];
  for (let i = 0; i < TOKENS; i++) {
    const from = index.readUInt16LE(i * 2);
    const end = table.indexOf(0, from);
    if (from >= table.length || end < 0 || end - from > MAX_TOKEN_BYTES) return null;
    tokens.push(table.toString('latin1', from, end));
  }
  return tokens;
}

/** Numbers of the wanted symbols; the first of each name counts. Null when the names end before their count. The first letter of each is its type. */
function findNames(names: Buffer, tokens: string[], count: number, wanted: Set<string>): Map<string, number> | null {
  const found = new Map<string, number>();
  for (let i = 0, at = 0; i < count; i++) {
    const entry = entryAt(names, at);
    if (!entry) return null;
    at = entry.end;
    let name = '';
    for (let byte = entry.start; byte < entry.end; byte++) name += tokens[names[byte] as number];
    const plain = name.slice(1);
    if (wanted.has(plain) && !found.has(plain)) found.set(plain, i);
  }
  return found;
}

/** Where the packed name at a place begins and ends; null when that is beyond the bytes. */
export function entryAt(names: Buffer, at: number): { start: number; end: number } | null {
  const first = names[at];
  const second = names[at + 1];
  if (first === undefined || second === undefined) return null;
  const long = first >= LONG_NAME;
  const start = at + (long ? 2 : 1);
  const end = start + (long ? (first & 0x7f) | (second << 7) : first);
  return end <= names.length && end > start ? { start, end } : null;
}
