/**
 * The virtual processors of a stream: registers of the sections "cpu", "cpu_common" and "apic", found by the description.
 * Source of bits: Intel SDM volume 3, 2.5 (control registers), 10.5.4 (timer modes of the APIC), 13.3 (XCR0).
 */
import type { ByteSource } from '../../types.js';
import type { CpuFacts } from '../../ways.js';
import { type DescribedDevice, findField } from '../stream/description.js';
import { keyOf, type Section, type StreamContent } from '../stream/walk.js';

const MAX_CPUS = 4096;
const MAX_SUBSECTIONS = 100;
const MAX_FIELD_BYTES = 4096;
/** By the name that the record uses. */
const REGISTERS: Record<string, string> = {
  rip: 'env.eip',
  rflags: 'env.eflags',
  cr0: 'env.cr[0]',
  cr2: 'env.cr[2]',
  cr3: 'env.cr[3]',
  cr4: 'env.cr[4]',
  efer: 'env.efer',
  xcr0: 'env.xcr0',
  tsc: 'env.tsc',
  kvmclock: 'env.system_time_msr',
  kvmclockWall: 'env.wall_clock_msr',
  tscDeadline: 'env.tsc_deadline',
  gsBase: 'env.kernelgsbase',
  lstar: 'env.lstar',
};
const TIMER_MODES = ['one-shot', 'periodic', 'tsc-deadline', 'reserved'];
const INTERRUPT_FLAG = 0x200n;
const PROTECTION = 1n;
const LONG_MODE = 0x400n;

export async function readCpus(source: ByteSource, content: StreamContent): Promise<CpuFacts[]> {
  const reader = new StateReader(source, content);
  const cpus: CpuFacts[] = [];
  for (const section of content.sections.filter(({ name }) => name === 'cpu').slice(0, MAX_CPUS)) cpus.push(await readCpu(reader, section.instance));
  return cpus.sort((a, b) => a.index - b.index);
}

/** Null when the stream does not say. */
export async function readRunState(source: ByteSource, content: StreamContent): Promise<string | null> {
  const bytes = await new StateReader(source, content).bytes('globalstate', 0, 'runstate');
  const text = bytes?.toString('latin1').split('\0')[0] ?? '';
  return /^[\w-]{1,40}$/.test(text) ? text : null;
}

async function readCpu(reader: StateReader, index: number): Promise<CpuFacts> {
  const registers: Record<string, string> = {};
  for (const [name, field] of Object.entries(REGISTERS)) {
    const value = await reader.number('cpu', index, field);
    if (value !== null) registers[name] = `0x${value.toString(16)}`;
  }
  const extras = reader.subsections('cpu', index);
  if (extras.length > 0) registers.subsections = extras.join(' ');
  Object.assign(registers, await readApic(reader, index));
  const halted = (await reader.number('cpu_common', index, 'halted')) ?? 0n;
  return { index, halted: halted !== 0n, interruptsEnabled: hasBit(registers.rflags, INTERRUPT_FLAG), mode: modeOf(registers), registers };
}

async function readApic(reader: StateReader, index: number): Promise<Record<string, string>> {
  const base = await reader.number('apic', index, 'apicbase');
  const timer = await reader.number('apic', index, 'lvt');
  if (base === null || timer === null) return {};
  const mode = TIMER_MODES[Number((timer >> 17n) & 3n)] as string;
  return { apicBase: `0x${base.toString(16)}`, apicTimer: mode, apicTimerMasked: String((timer >> 16n) & 1n) };
}

function modeOf({ cr0, efer }: Record<string, string>): CpuFacts['mode'] {
  if (!hasBit(cr0, PROTECTION)) return 'real';
  return hasBit(efer, LONG_MODE) ? 'long' : 'protected';
}

function hasBit(register: string | undefined, bit: bigint): boolean {
  return register !== undefined && (BigInt(register) & bit) !== 0n;
}

/** Fields of sections, by names of the description. */
class StateReader {
  private readonly sections: Map<string, Section>;
  private readonly layouts: Map<string, DescribedDevice>;

  constructor(
    private readonly source: ByteSource,
    content: StreamContent,
  ) {
    this.sections = new Map(content.sections.map((section) => [keyOf(section), section]));
    this.layouts = new Map((content.description?.devices ?? []).map((device) => [keyOf(device), device]));
  }

  /** The first element of an array. */
  async number(name: string, instance: number, field: string): Promise<bigint | null> {
    const bytes = await this.bytes(name, instance, field);
    if (!bytes || bytes.length < 4) return null;
    const layout = this.layouts.get(keyOf({ name, instance }));
    const wide = layout !== undefined && /64/.test(findField(layout, field)?.type ?? '');
    return wide && bytes.length >= 8 ? bytes.readBigUInt64BE(0) : BigInt(bytes.readUInt32BE(0));
  }

  async bytes(name: string, instance: number, field: string): Promise<Buffer | null> {
    const section = this.sections.get(keyOf({ name, instance }));
    const layout = this.layouts.get(keyOf({ name, instance }));
    const place = layout ? findField(layout, field) : null;
    if (!section || !place || place.lengthBytes > MAX_FIELD_BYTES || place.offset + place.lengthBytes > section.lengthBytes) return null;
    return this.source.read(section.offset + place.offset, place.lengthBytes);
  }

  subsections(name: string, instance: number): string[] {
    const parts = this.layouts.get(keyOf({ name, instance }))?.subsections ?? [];
    return parts.slice(0, MAX_SUBSECTIONS).map((part) => part.name.slice(0, 80));
  }
}
