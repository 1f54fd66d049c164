/** One start: what QEMU needs is made ready, QEMU takes it, and the saved memory if there is one; then everything is watched. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LabError } from '../../errors.js';
import { devicePaths, layerPaths } from '../exposure/block-nodes.js';
import type { GuestNetwork, MachineRequest } from '../lab.js';
import { memoryBytes, QMP_SOCKET, SERIAL_SOCKET } from './command-line.js';
import { LIGHTS_EVENT } from './error-stream.js';
import { GuestClock } from './guest-clock.js';
import { openFileOf } from './host-threads.js';
import { loadMemory } from './incoming.js';
import { type Launch, launchQemu, type QemuProcess } from './launch.js';
import { connectLine, SerialLine } from './lines.js';
import { EventLog } from './machine-events.js';
import { attachNetwork } from './network/index.js';
import { FilesOfQemu } from './observe/files-of-qemu.js';
import { GuestMemory, parseRamRanges } from './observe/guest-memory.js';
import { Observer } from './observe/observer.js';
import { type PreparedMachine, prepareMachine, type StartContext } from './plan.js';
import { RunningMachine } from './running-machine.js';

/** Nothing is left of a start that fails. The signal ends the machine also later. @throws LabError */
export async function startMachine(request: MachineRequest, context: StartContext, signal: AbortSignal): Promise<RunningMachine> {
  try {
    signal.throwIfAborted();
    const prepared = await prepareMachine(request, context, signal);
    const qemu = await launchQemu(launchOf(request, prepared, context), signal);
    endWith(qemu, signal, context);
    if (request.way === 'resume') await resume(request, qemu, context.folder, signal);
    return await equip(request, prepared, qemu, context);
  } catch (error) {
    await release(context);
    await rm(context.folder, { recursive: true, force: true });
    signal.throwIfAborted();
    throw error;
  }
}

function launchOf(request: MachineRequest, prepared: PreparedMachine, context: StartContext): Launch {
  const images = prepared.disks.filter((disk) => disk.served === null).map((disk) => disk.image);
  const accelerator = context.accelerator === 'kvm' ? ['/dev/kvm'] : [];
  return {
    command: prepared.command,
    visible: { readable: layerPaths(images), writable: [context.folder], devices: [...accelerator, ...prepared.cards.devices, ...devicePaths(images)] },
    qmpSocket: join(context.folder, QMP_SOCKET),
    ramBytes: memoryBytes(request.description),
    overlayBytes: context.overlayBytes,
    sandbox: context.sandbox,
    workFolder: context.workFolder,
  };
}

function endWith(qemu: QemuProcess, signal: AbortSignal, context: StartContext): void {
  const stop = () => void qemu.child.kill();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  context.ending.push(async () => {
    signal.removeEventListener('abort', stop);
    await qemu.child.kill();
    qemu.qmp.close();
  });
}

async function resume(request: MachineRequest, qemu: QemuProcess, folder: string, signal: AbortSignal): Promise<void> {
  if (!request.memory) throw new LabError({ code: 'machine.memory', message: 'There is no saved memory to resume from.' });
  await loadMemory(qemu, request.memory.stream(), folder, signal);
}

async function equip(request: MachineRequest, prepared: PreparedMachine, qemu: QemuProcess, context: StartContext): Promise<RunningMachine> {
  const { folder, ending } = context;
  const clock = new GuestClock();
  const files = new FilesOfQemu(qemu.qmp, folder);
  const memory = await openMemory(qemu);
  ending.push(() => memory?.close());
  return new RunningMachine({
    ...{ way: request.way, description: request.description, accelerator: context.accelerator, overlayBytes: context.overlayBytes, folder },
    ...{ qemu, clock, files, memory, log: new EventLog(clock) },
    observer: await Observer.attach(qemu, clock, memory, files, new Map(prepared.devices.disks.map(({ device, disk }) => [device, disk]))),
    serial: await openSerial(prepared, context),
    network: await openNetwork(request, prepared, context),
    lights: await watchLights(qemu),
    overlays: prepared.disks.map(({ image, overlayPath }) => ({ disk: image.name, path: overlayPath })),
    release: () => release(context),
  });
}

async function openMemory(qemu: QemuProcess): Promise<GuestMemory | null> {
  const path = openFileOf(qemu.pid, '/memfd:');
  const tree = await qemu.qmp.execute<string>('human-monitor-command', { 'command-line': 'info mtree -f' });
  return path === null ? null : new GuestMemory(path, parseRamRanges(tree));
}

async function openSerial({ devices }: PreparedMachine, { folder, ending }: StartContext): Promise<SerialLine | null> {
  if (!devices.serial) return null;
  const line = new SerialLine(await connectLine(join(folder, SERIAL_SOCKET)));
  ending.push(() => line.close());
  return line;
}

async function openNetwork(request: MachineRequest, { cards }: PreparedMachine, { ending }: StartContext): Promise<GuestNetwork | null> {
  if (!request.network) return null;
  const streams = await cards.connect();
  if (streams.length === 0) return null;
  const network = attachNetwork(streams, { leases: request.leases ?? [] });
  ending.push(() => network.close());
  return network;
}

/** Debian's QEMU can log events to its standard error; one that was built otherwise refuses, and nothing is known of the lights. */
async function watchLights({ qmp }: QemuProcess): Promise<boolean> {
  await qmp.execute('human-monitor-command', { 'command-line': `log trace:${LIGHTS_EVENT}` });
  const states = await qmp.execute<{ state: string }[]>('trace-event-get-state', { name: LIGHTS_EVENT }).catch(() => []);
  return states[0]?.state === 'enabled';
}

async function release({ ending }: StartContext): Promise<void> {
  for (const end of ending.splice(0).reverse()) await end();
}
