/** Saved memory for people: what machine it was saved from, and what is wrong with it. It judges nothing. */
import type { CpuFacts, MemoryFacts, StreamDevice } from '../ways.js';
import { count } from '../words.js';
import { formatBytes } from './units.js';

const MAX_DEVICES = 60;
/** RAM is sold and configured in these. */
const MIB = 2 ** 20;

/** Lines; guest strings in them are not yet harmless. */
export function describeMemory(memory: MemoryFacts | string | null): string[] {
  if (memory === null) return [];
  if (typeof memory === 'string') return [memory];
  const findings = memory.findings.map(({ severity, message }) => `${severity}: ${message}`);
  if (memory.container === 'unread') return [`not read: it is ${memory.why}`, ...findings];
  const packed = memory.compression === 'none' ? '' : `, packed with ${memory.compression}`;
  return [
    `${memory.why}${packed}; ${memory.complete ? 'whole' : 'NOT WHOLE'}`,
    `machine: ${memory.machineType ?? 'of unknown type'}, ${count(memory.cpus.length, 'processor')}, ${Math.round(memory.ramBytes / MIB)} MiB of RAM; ${memory.runState ?? 'its state is not known'}`,
    ...memory.cpus.map(describeCpu),
    ...describeDevices(memory.devices),
    ...findings,
  ];
}

function describeCpu({ index, halted, interruptsEnabled, mode, registers }: CpuFacts): string {
  const timer = registers.apicTimer ? `, timer ${registers.apicTimer}` : '';
  const known = registers.rip ? ` at ${registers.rip}, ${mode} mode, interrupts ${interruptsEnabled ? 'on' : 'off'}` : '';
  return `processor ${index}: ${halted ? 'halted' : 'running'}${known}${timer}`;
}

/** Those at PCI addresses, and what hangs on them; the rest is in every machine. */
function describeDevices(devices: StreamDevice[]): string[] {
  const named = devices.filter(({ name }) => name.includes('/')).map(describeDevice);
  const more = named.length > MAX_DEVICES ? [`and ${named.length - MAX_DEVICES} more`] : [];
  return named.length > 0 ? ['devices:', ...[...named.slice(0, MAX_DEVICES), ...more].map((line) => `  ${line}`)] : [];
}

function describeDevice({ name, pci, virtio }: StreamDevice): string {
  const details = [pci?.id, virtio?.capacityBytes ? formatBytes(virtio.capacityBytes) : null, virtio?.mac].filter(Boolean);
  return details.length > 0 ? `${name} (${details.join(', ')})` : name;
}
