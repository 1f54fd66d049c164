/**
 * Whether a saved machine can go on here: what its processors used must be there again. Under KVM a guest uses what software
 * emulation (TCG) does not have, and resumed there it would stand still without being hung. Missing in TCG of QEMU 7.2, measured:
 * kvmclock, the APIC's TSC-deadline mode, x2APIC, PCID, AVX-512.
 * Source of bits: Intel SDM volume 3, 2.5 (CR4), 10.4.4 (x2APIC), 13.3 (XCR0).
 */
import type { CpuFacts, MemoryFacts } from '../ways.js';

export interface ContinuationHost {
  accelerator: 'kvm' | 'tcg';
  /** Names and aliases that `-machine help` lists; empty: not known. */
  machineTypes: string[];
}

const ENABLED = 1n;
const X2APIC = 0x400n;
const SVM = 0x1000n;
/** Bits of CR4 that TCG lacks. */
const CR4: [bigint, string][] = [
  [1n << 13n, 'nested virtualization (VMX)'],
  [1n << 14n, 'SMX'],
  [1n << 17n, 'process-context identifiers (PCID)'],
  [1n << 23n, 'control-flow enforcement (CET)'],
];
/** x87, SSE, AVX, MPX and protection keys: what TCG can save and restore. */
const XCR0_OF_TCG = 0x21fn;
const AVX512 = 0xe0n;

/** Null, or why not: a sentence without its end. */
export function continuationObstacle(memory: MemoryFacts, host: ContinuationHost): string | null {
  if (memory.container === 'unread') return `the saved memory is not read: it is ${memory.why}`;
  if (!memory.complete) return 'the saved memory is not whole';
  if (memory.mappedPages)
    return 'the pages of the saved memory lie at places of their own (mapped-ram), from which QEMU resumes in another way than is done here';
  const { machineType } = memory;
  if (machineType === null) return 'the saved memory does not say of which machine type it is';
  if (host.machineTypes.length > 0 && !host.machineTypes.includes(machineType)) {
    return `the QEMU of this host does not know the machine type ${machineType}: resume it with one that does`;
  }
  return host.accelerator === 'tcg' ? missingInEmulation(memory) : null;
}

function missingInEmulation({ cpus, devices }: MemoryFacts): string | null {
  const needs = new Set<string>();
  if (devices.some(({ name }) => name === 'kvmclock')) needs.add("KVM's clock");
  for (const cpu of cpus) for (const need of needsOf(cpu)) needs.add(need);
  if (needs.size === 0) return null;
  return `the machine was saved under KVM and uses what software emulation does not have (${[...needs].slice(0, 6).join(', ')}): it needs a host with KVM`;
}

function* needsOf({ registers }: CpuFacts): Generator<string> {
  const bits = (name: string) => numberOf(registers[name]);
  if (bits('kvmclock') & ENABLED) yield "KVM's clock";
  if (registers.apicTimer === 'tsc-deadline' && registers.apicTimerMasked !== '1') yield 'timers by TSC deadline';
  if (bits('apicBase') & X2APIC) yield 'x2APIC';
  for (const [bit, name] of CR4) if (bits('cr4') & bit) yield name;
  const state = bits('xcr0') & ~XCR0_OF_TCG;
  if (state & AVX512) yield 'AVX-512';
  if (state & ~AVX512) yield `processor state ${`0x${(state & ~AVX512).toString(16)}`} (XCR0)`;
  const parts = registers.subsections ?? '';
  if (/nested/.test(parts) || bits('efer') & SVM) yield 'nested virtualization';
  if (/hyperv/.test(parts)) yield "Hyper-V's interfaces";
}

function numberOf(text: string | undefined): bigint {
  return text !== undefined && /^0x[\da-f]{1,16}$/.test(text) ? BigInt(text) : 0n;
}
