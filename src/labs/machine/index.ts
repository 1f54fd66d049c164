/** The machine lab: guests in QEMU, each on new throw-away overlays, confined, and seen from outside only. */
import { join } from 'node:path';
import { InterruptedError, LabError, SnapproofError } from '../../errors.js';
import { openWorkFolder, type WorkFolder } from '../../process/work-folder.js';
import type { SnapshotImage } from '../../types.js';
import { probeKvm } from '../acceleration.js';
import type { Lab, LabSession, Machine, MachineRequest } from '../lab.js';
import { openSandbox, type SandboxSession } from '../sandbox/index.js';
import type { RunningMachine } from './running-machine.js';
import { startMachine } from './start.js';

export interface MachineLabRequest {
  /** The disks of the restore point, with headers that the guard let through. */
  images: SnapshotImage[];
  workFolder: WorkFolder;
  sandbox: SandboxSession;
  /** Largest overlay of one disk. */
  overlayBytes: number;
}

/** Machines of one restore point. All that were started and not discarded go with `close`. */
export class MachineSession implements LabSession {
  private readonly machines = new Set<RunningMachine>();
  private readonly closed = new AbortController();
  private readonly starting = new Set<Promise<unknown>>();
  private count = 0;
  /** How machines ran, for the record. */
  readonly started: { way: MachineRequest['way']; accelerator: 'kvm' | 'tcg'; network: boolean }[] = [];

  constructor(private readonly request: MachineLabRequest) {}

  async start(request: MachineRequest, signal: AbortSignal): Promise<Machine> {
    if (this.closed.signal.aborted) throw new InterruptedError({ code: 'machine.closed', message: 'The machine lab was closed.' });
    const { images, workFolder, sandbox, overlayBytes } = this.request;
    const accelerator = (await probeKvm()).kvm ? 'kvm' : 'tcg';
    const folder = join(workFolder.path, `machine${this.count++}`);
    const until = AbortSignal.any([signal, this.closed.signal]);
    const starting = startMachine(request, { images, workFolder, sandbox, accelerator, overlayBytes, folder, ending: [] }, until);
    const settled = starting.then(
      (machine) => this.machines.add(machine),
      () => undefined,
    );
    this.starting.add(settled);
    void settled.then(() => this.starting.delete(settled));
    const machine = await starting;
    this.started.push({ way: request.way, accelerator, network: request.network });
    return machine;
  }

  async close(): Promise<void> {
    this.closed.abort(new InterruptedError({ code: 'machine.closed', message: 'The machine lab was closed.' }));
    await Promise.all(this.starting);
    await Promise.all([...this.machines].map((machine) => machine.discard()));
    this.machines.clear();
  }
}

/** So long may a machine take that needs moments. */
const PROBE_TIMEOUT_MS = 60_000;

export class MachineLab implements Lab<MachineLabRequest, MachineSession> {
  readonly name = 'machine';

  /** Starts a machine without disks, looks at it once, and ends it. */
  async probe(): Promise<{ usable: boolean; why: string }> {
    const workFolder = await openWorkFolder();
    const sandbox = openSandbox();
    try {
      return { usable: true, why: await trialStart(workFolder, sandbox) };
    } catch (error) {
      if (!(error instanceof SnapproofError)) throw error;
      return { usable: false, why: [error.message, error.advice].filter(Boolean).join(' ') };
    } finally {
      await sandbox.close();
      await workFolder.close();
    }
  }

  async open(request: MachineLabRequest, signal: AbortSignal): Promise<MachineSession> {
    const session = new MachineSession(request);
    signal.addEventListener('abort', () => void session.close(), { once: true });
    if (signal.aborted) await session.close();
    return session;
  }
}

async function trialStart(workFolder: WorkFolder, sandbox: SandboxSession): Promise<string> {
  const session = new MachineSession({ images: [], workFolder, sandbox, overlayBytes: 2 ** 20 });
  const started = performance.now();
  try {
    const description = {
      machineType: 'q35',
      machineOptions: {},
      flashBytes: [],
      userNetworks: 0,
      cpuModel: 'max',
      cpus: 1,
      memoryMiB: 64,
      firmware: 'bios' as const,
      devices: [{ driver: 'VGA' }],
      origins: {},
      deviations: [],
    };
    const machine = await session.start({ way: 'boot', description, memory: null, network: false }, AbortSignal.timeout(PROBE_TIMEOUT_MS));
    await machine.run();
    const look = await machine.look();
    if (look.status !== 'running') throw new LabError({ code: 'machine.probe', message: `A machine was started and is ${look.status}.` });
    return `a machine started in ${((performance.now() - started) / 1000).toFixed(1)} s`;
  } finally {
    await session.close();
  }
}
