/** Single fields of a machine: each from the first place that knows it. */
import type { Hardware } from '../types.js';
import type { HardwareOrigin, MemoryFacts } from '../ways.js';
import { cpuModelFrom } from './cpu-model.js';
import { DEFAULT_CPUS, DEFAULT_MEMORY_MIB, defaultMachineType } from './default-machine.js';
import type { HardwareRequest } from './describe.js';
import type { Domain } from './domain.js';
import { firmwareOfDisks } from './firmware.js';
import type { SavedMachine } from './saved-machine.js';

const MIB = 2 ** 20;

/** Where a field was learnt, by its name. */
export type Origins = Record<string, HardwareOrigin>;

export interface FieldSources {
  facts: MemoryFacts | null;
  domain: Domain | null;
  manifest: Hardware | null;
  saved: SavedMachine | null;
}

/** The first that is there, noted with where it comes from. */
function choose<T>(origins: Origins, field: string, from: [HardwareOrigin, T | null | undefined][], fallback: T): T {
  const [origin, value] = from.find((candidate) => candidate[1] !== null && candidate[1] !== undefined) ?? ['default', null];
  origins[field] = origin;
  return value ?? fallback;
}

export const isPc = (type: string): boolean => /^(pc|q35|xenfv)[\w.+-]{0,60}$/.test(type);

const named = (type: string | null | undefined): string | null => (type && isPc(type) ? type : null);

export function machineTypeOf(request: HardwareRequest, { facts, domain, manifest }: FieldSources, origins: Origins, deviations: string[]): string {
  const { images, buses, network, inspection, way, host } = request;
  const fallback = defaultMachineType({ images, buses, systems: inspection?.systems ?? [], network });
  const from: [HardwareOrigin, string | null][] = [
    ['stream', named(facts?.machineType)],
    ['libvirt', named(domain?.machineType)],
    ['manifest', named(manifest?.machineType)],
  ];
  const type = choose(origins, 'machineType', from, fallback);
  if (way === 'resume' || host.machineTypes.length === 0 || host.machineTypes.includes(type)) return type;
  const family = /q35/.test(type) ? 'q35' : 'pc';
  deviations.push(`It is a "${family}" of this host's QEMU, which does not know "${type}".`);
  return family;
}

export function cpuModelOf({ domain, manifest, facts }: FieldSources, origins: Origins, deviations: string[]): string {
  const model = choose(
    origins,
    'cpuModel',
    [
      ['libvirt', domain?.cpuModel ? cpuModelFrom(domain.cpuModel) : null],
      ['manifest', manifest?.cpuModel ? cpuModelFrom(manifest.cpuModel) : null],
    ],
    'max',
  );
  if (origins.cpuModel === 'default' && facts) deviations.push('Which processor the machine had is not known: it gets one with all that this host offers.');
  return model;
}

export function cpusOf({ way, host }: HardwareRequest, { facts, domain, manifest }: FieldSources, origins: Origins, deviations: string[]): number {
  const saved = facts && facts.cpus.length > 0 ? facts.cpus.length : null;
  const cpus = choose(
    origins,
    'cpus',
    [
      ['stream', saved],
      ['libvirt', domain?.cpus],
      ['manifest', manifest?.cpus],
    ],
    DEFAULT_CPUS,
  );
  const most = Math.max(1, host.cpus);
  if (way === 'resume' || cpus <= most) return cpus;
  deviations.push(`It gets ${most} processors instead of ${cpus}: this host has no more.`);
  return most;
}

export interface Notes {
  origins: Origins;
  deviations: string[];
  obstacles: string[];
}

export function memoryOf({ way, host }: HardwareRequest, { facts, domain, manifest }: FieldSources, { origins, deviations, obstacles }: Notes): number {
  const saved = facts && facts.ramBytes >= MIB ? Math.floor(facts.ramBytes / MIB) : null;
  const memoryMiB = choose(
    origins,
    'memoryMiB',
    [
      ['stream', saved],
      ['libvirt', domain?.memoryMiB],
      ['manifest', manifest?.memoryMiB],
    ],
    DEFAULT_MEMORY_MIB,
  );
  if (memoryMiB <= host.memoryMiB) return memoryMiB;
  if (way === 'resume') {
    obstacles.push(`the machine needs ${memoryMiB} MiB of RAM, and this run may use ${host.memoryMiB} MiB`);
    return memoryMiB;
  }
  if (origins.memoryMiB !== 'default') deviations.push(`It gets ${host.memoryMiB} MiB of RAM instead of ${memoryMiB}: this run may use no more.`);
  return host.memoryMiB;
}

export function firmwareOf({ inspection, bootCode }: HardwareRequest, { domain, saved }: FieldSources, origins: Origins): 'bios' | 'uefi' {
  const ofDisks = inspection ? firmwareOfDisks(inspection.tables, inspection.volumes, bootCode) : null;
  const ofStream = saved ? (saved.flashBytes.length > 0 ? 'uefi' : 'bios') : null;
  return choose(
    origins,
    'firmware',
    [
      ['stream', ofStream],
      ['libvirt', domain?.firmware],
      ['disks', ofDisks],
    ],
    'bios',
  );
}
