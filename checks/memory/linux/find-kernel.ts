/** Finds the Linux kernel that was running when the memory was saved, among all that stands in it. */
import { FormatError } from '../../../src/errors.js';
import type { CpuFacts, GuestRam } from '../../../src/ways.js';
import { TypeTable } from './btf.js';
import { readSymbols, symbolTablePlaces } from './kallsyms.js';
import { findSymbolTable } from './kallsyms-search.js';
import { LinuxKernel } from './kernel.js';
import { readModuleTypes } from './modules.js';
import { holds, PAGE_BYTES, VirtualMemory } from './page-tables.js';
import { parseVmcoreInfo, type VmcoreInfo } from './vmcoreinfo.js';

/** Where x86-64 maps the kernel's image. */
const IMAGE_BASE = 0xffff_ffff_8000_0000n;
const MAX_IMAGE_BYTES = 128 * 1024 * 1024;
/** Between the parts of the image, given back when the kernel starts. */
const LONGEST_HOLE_BYTES = 16 * 1024 * 1024;
const MAX_TYPES_BYTES = 64 * 1024 * 1024;
const CONTROL_REGISTER_3_FRAME = 0x000f_ffff_ffff_f000n;
/** With isolated page tables the user's half stands beside the kernel's, and is told from it by this bit. */
const USER_TABLE_BIT = 0x1000n;
const MAX_CANDIDATES = 64;

const SYMBOLS: ReadonlySet<string> = new Set([
  ...['__start_BTF', '__stop_BTF', 'btf_modules', 'init_task', 'super_blocks', 'tk_core', 'timekeeper_data'],
  ...['runqueues', '__per_cpu_offset', 'nr_cpu_ids', 'panic_cpu'],
]);

export type KernelSearch = { kernel: LinuxKernel; why: '' } | { kernel: null; why: string };

interface Candidate {
  info: VmcoreInfo;
  memory: VirtualMemory;
  /** Virtual and physical address of something that every kernel has: what the running one maps alike. */
  landmark: { address: bigint; physical: number };
}

/** @param pages physical addresses at which a page of vmcoreinfo may begin */
export async function findKernel(ram: GuestRam, cpus: CpuFacts[], pages: number[], signal?: AbortSignal): Promise<KernelSearch> {
  if (pages.length === 0) return { kernel: null, why: 'no Linux kernel that describes itself was found in it' };
  const candidates: Candidate[] = [];
  for (const page of pages.slice(0, MAX_CANDIDATES)) {
    const candidate = await examine(ram, page, signal);
    if (candidate && !candidates.some((other) => other.landmark.physical === candidate.landmark.physical)) candidates.push(candidate);
  }
  const running = await runningOnes(ram, cpus, candidates);
  const [only] = running;
  if (!only)
    return {
      kernel: null,
      why: `${candidates.length === 0 ? 'what looks like a Linux kernel in it cannot be read' : 'no processor was running the Linux kernel that stands in it'}`,
    };
  if (running.length > 1) return { kernel: null, why: 'more than one Linux kernel stands in it, and nothing tells which was running' };
  return { kernel: await open(only), why: '' };
}

/** Null unless its own page tables lead to itself, and to the name it gives itself. */
async function examine(ram: GuestRam, page: number, signal?: AbortSignal): Promise<Candidate | null> {
  const info = holds(ram, page, PAGE_BYTES) ? parseVmcoreInfo(await ram.read(page, PAGE_BYTES)) : null;
  const tables = info?.symbols.get('swapper_pg_dir');
  const names = info?.symbols.get('init_uts_ns');
  const text = info?.symbols.get('_stext');
  const base = info?.numbers.get('phys_base');
  if (!info || tables === undefined || names === undefined || text === undefined || base === undefined) return null;
  const physicalOf = (address: bigint) => Number(address - IMAGE_BASE + base);
  const levels = info.numbers.get('pgtable_l5_enabled') === 1n ? 5 : 4;
  const memory = new VirtualMemory(ram, { root: physicalOf(tables), levels }, signal);
  if ((await memory.translate(text)) !== physicalOf(text)) return null;
  const landmark = { address: names, physical: physicalOf(names) };
  if ((await memory.translate(names)) !== landmark.physical) return null;
  const name = await memory.read(names, (info.offsets.get('uts_namespace.name') ?? 0) + 3 * 65);
  return name?.includes(`Linux\0`) && name.includes(`${info.release}\0`) ? { info, memory, landmark } : null;
}

/** Of several (a reboot leaves the old one standing) only what a processor's own page tables map. Where no registers are known: all. */
async function runningOnes(ram: GuestRam, cpus: CpuFacts[], candidates: Candidate[]): Promise<Candidate[]> {
  const known = cpus.filter(({ registers }) => tableRoot(registers) !== null);
  if (known.length === 0) return candidates;
  const roots = known.filter(({ mode }) => mode === 'long').flatMap(({ registers }) => tableRoots(registers));
  const running: Candidate[] = [];
  for (const candidate of candidates) {
    const { address, physical } = candidate.landmark;
    const levels = candidate.info.numbers.get('pgtable_l5_enabled') === 1n ? 5 : 4;
    for (const root of roots) {
      if ((await new VirtualMemory(ram, { root, levels }).translate(address)) !== physical) continue;
      running.push(candidate);
      break;
    }
  }
  return running;
}

/** Null: not known. */
function tableRoot(registers: Record<string, string>): bigint | null {
  const text = Object.entries(registers).find(([name]) => name.toLowerCase() === 'cr3')?.[1] ?? '';
  const digits = /^(?:0x)?([0-9a-f]{1,16})$/i.exec(text)?.[1];
  return digits === undefined ? null : BigInt(`0x${digits}`) & CONTROL_REGISTER_3_FRAME;
}

function tableRoots(registers: Record<string, string>): number[] {
  const frame = tableRoot(registers);
  return frame === null ? [] : [...new Set([Number(frame), Number(frame & ~USER_TABLE_BIT)])];
}

async function open({ info, memory }: Candidate): Promise<LinuxKernel> {
  const symbols = await readAllSymbols(memory, info);
  for (const [name, address] of info.symbols) symbols.set(name, address);
  const types = await readTypes(memory, symbols);
  const kernel = new LinuxKernel(info.release, info, memory, symbols, types && new Map([['vmlinux', types]]));
  if (!types) return kernel;
  const modules = await readModuleTypes(kernel, types);
  return new LinuxKernel(info.release, info, memory, symbols, new Map([['vmlinux', types], ...modules]));
}

async function readAllSymbols(memory: VirtualMemory, info: VmcoreInfo): Promise<Map<string, bigint>> {
  const known = { name: 'init_uts_ns', address: info.symbols.get('init_uts_ns') as bigint };
  const text = info.symbols.get('_stext') as bigint;
  const places = (await symbolTablePlaces(memory, info)) ?? findSymbolTable(await memory.readRegion(text, MAX_IMAGE_BYTES, LONGEST_HOLE_BYTES), text);
  return (places && (await readSymbols(memory, places, SYMBOLS, known))) ?? new Map();
}

async function readTypes(memory: VirtualMemory, symbols: Map<string, bigint>): Promise<TypeTable | null> {
  const [start, end] = [symbols.get('__start_BTF'), symbols.get('__stop_BTF')];
  if (start === undefined || end === undefined || end <= start || end - start > BigInt(MAX_TYPES_BYTES)) return null;
  const bytes = await memory.read(start, Number(end - start));
  try {
    return bytes && new TypeTable(bytes);
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}
