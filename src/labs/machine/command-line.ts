/** QEMU's command line for one machine. Pure, so that every flag is tested. What an image or a description says is never followed. */
import { join } from 'node:path';
import { LabError } from '../../errors.js';
import type { MachineDescription } from '../../ways.js';
import type { BlockNode } from '../exposure/block-nodes.js';
import { type PlacedDevices, SERIAL_LINE, SILENCE } from './devices.js';

/** What QEMU is started with, put together by who starts it. Paths are as the sandbox sees them. */
export interface MachinePlan {
  description: MachineDescription;
  accelerator: 'kvm' | 'tcg';
  /** Which clock the guest has; see MachineChoices. */
  clock: 'real' | 'ahead';
  devices: PlacedDevices;
  /** Every block node, in an order in which each finds those below it. */
  nodes: BlockNode[];
  /** JSON descriptions for `-netdev`, one a card. */
  netdevs: Record<string, unknown>[];
  /** Further options: filters of the network, files of the firmware. */
  extra: string[];
  /** Options added to `-machine`: which nodes hold the firmware. */
  machineOptions: string[];
  /** The machine's own folder; its sockets lie there. */
  folder: string;
  /** It waits for a saved memory. */
  incoming: boolean;
  /** An empty value for each place that the guest may start from. */
  strictBoot: boolean;
}

export const QMP_SOCKET = 'qmp';
export const SERIAL_SOCKET = 'serial';

/** Half of QEMU's default: enough for the code of a system and its services, and a bound for what a look at it costs. */
const TRANSLATIONS_MIB = 512;
const SECCOMP = 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny';
/** A guest that resets is counted; one that ends or panics is kept as it is. */
const ACTIONS = 'reboot=reset,shutdown=pause,panic=pause';
/** `pc-q35-7.2`. What the machine has or has not is said by its options. */
const MACHINE_TYPE = /^[A-Za-z0-9][\w.-]*$/;
const OPTION_NAME = /^[a-z][a-z0-9-]*$/;
const CPU_MODEL = /^[\w.+-]+(,[\w.+=: -]+)*$/;

/** @throws LabError for a description that is none */
export function qemuArguments(plan: MachinePlan): string[] {
  const { description, devices, folder } = plan;
  const socket = (name: string) => `${join(folder, name).replaceAll(',', ',,')},server=on,wait=off`;
  return [
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-S', '-sandbox', SECCOMP, '-action', ACTIONS],
    ...['-machine', [machineType(description), 'memory-backend=pc.ram', ...hardwareOptions(description), ...plan.machineOptions].join(',')],
    ...accelerator(plan),
    ...['-cpu', cpuModel(description), '-smp', String(count(description.cpus, 1, 1024, 'processors'))],
    ...['-m', String(memoryMiB(description)), '-object', JSON.stringify(memory(description))],
    ...(plan.strictBoot ? ['-boot', 'strict=on'] : []),
    ...plan.nodes.flatMap((node) => ['-blockdev', JSON.stringify(node)]),
    ...plan.netdevs.flatMap((netdev) => ['-netdev', JSON.stringify(netdev)]),
    ...(devices.serial ? ['-chardev', `socket,id=${SERIAL_LINE},path=${socket(SERIAL_SOCKET)}`] : []),
    ...devices.deafLines.flatMap((line) => ['-chardev', `null,id=${line}`]),
    ...(devices.sound ? ['-audiodev', `none,id=${SILENCE}`] : []),
    ...plan.extra,
    ...devices.devices.flatMap((device) => ['-device', JSON.stringify(device)]),
    ...['-qmp', `unix:${socket(QMP_SOCKET)}`],
    ...(plan.incoming ? ['-incoming', 'defer'] : []),
  ];
}

export function memoryBytes(description: MachineDescription): number {
  return memoryMiB(description) * 2 ** 20;
}

/**
 * Memory that this process can read too, through the file behind it. Its name in the saved memory is that of a machine without it;
 * types before 4.1 would name it by its path.
 */
function memory(description: MachineDescription): Record<string, unknown> {
  const named = { 'qom-type': 'memory-backend-memfd', id: 'pc.ram', size: memoryBytes(description) };
  return { ...named, share: true, 'x-use-canonical-path-for-ramblock-id': false };
}

function machineType({ machineType }: MachineDescription): string {
  if (MACHINE_TYPE.test(machineType)) return machineType;
  throw invalid(`the machine type "${machineType}"`);
}

function cpuModel({ cpuModel }: MachineDescription): string {
  if (CPU_MODEL.test(cpuModel)) return cpuModel;
  throw invalid(`the processor "${cpuModel}"`);
}

function memoryMiB({ memoryMiB }: MachineDescription): number {
  return count(memoryMiB, 1, 16 * 2 ** 20, 'MiB of memory');
}

function count(value: number, least: number, most: number, what: string): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw invalid(`${value} ${what}`);
}

function invalid(what: string): LabError {
  return new LabError({
    code: 'machine.description',
    message: `No machine can be started with ${what.slice(0, 200)}.`,
    advice: 'Correct the hardware in restore-point.json.',
  });
}

/** What the machine itself had or had not, such as a timer chip. */
function hardwareOptions({ machineOptions }: MachineDescription): string[] {
  return Object.entries(machineOptions).map(([name, value]) => {
    if (!OPTION_NAME.test(name) || !['on', 'off'].includes(value)) throw invalid(`the option "${name}=${value}"`);
    return `${name}=${value}`;
  });
}

/**
 * A clock that runs ahead counts instructions, eight nanoseconds each, and does not wait where the guest does: then processors take
 * turns on one thread.
 */
function accelerator({ accelerator, clock, incoming }: MachinePlan): string[] {
  if (clock === 'real') return ['-accel', accelerator === 'kvm' ? 'kvm' : `tcg,thread=multi,tb-size=${TRANSLATIONS_MIB}`];
  if (accelerator === 'kvm') throw clockError('runs ahead in software emulation only, and this host has KVM');
  if (incoming) throw clockError('cannot run ahead after a resume: its timers were set by another one');
  return ['-accel', `tcg,thread=single,tb-size=${TRANSLATIONS_MIB}`, '-icount', 'shift=3,sleep=off'];
}

function clockError(why: string): LabError {
  return new LabError({ code: 'machine.clock', message: `A guest's clock ${why}.` });
}
