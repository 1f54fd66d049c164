/** One look at a machine: everything that can be seen cheaply from outside, at once. */
import type { Look } from '../../../ways.js';
import { threadOnHost, threadTimes } from '../host-threads.js';
import type { QemuProcess } from '../launch.js';
import { type BlockStatistics, diskLooks, VirtioQueues } from './disk-statistics.js';
import type { FilesOfQemu } from './files-of-qemu.js';
import type { GuestMemory } from './guest-memory.js';
import { screenLook } from './screen.js';
import { interruptCount, JitCounter } from './statistics.js';

interface Table {
  'human-readable-text': string;
}

/** What is kept elsewhere, and belongs into a look. */
export interface SeenElsewhere {
  wallMs: number;
  guestMs: number;
  serialBytes: number;
  framesSent: number | null;
}

/** On a host that is short of everything, QEMU may take long to answer. */
const PATIENCE = { timeoutMs: 60_000 };

export class Observer {
  private readonly jit = new JitCounter();

  private constructor(
    private readonly qemu: QemuProcess,
    private readonly parts: { disks: string[]; threads: number[]; queues: VirtioQueues; memory: GuestMemory | null; files: FilesOfQemu },
  ) {}

  /** @param diskOfDevice by the id of the device */
  static async attach(qemu: QemuProcess, memory: GuestMemory | null, files: FilesOfQemu, diskOfDevice: ReadonlyMap<string, string>): Promise<Observer> {
    const cpus = await qemu.qmp.execute<{ 'thread-id': number }[]>('query-cpus-fast');
    const threads = cpus.flatMap((cpu) => threadOnHost(qemu.pid, cpu['thread-id']) ?? []);
    const queues = await VirtioQueues.find(qemu.qmp, diskOfDevice);
    return new Observer(qemu, { disks: [...diskOfDevice.values()], threads, queues, memory, files });
  }

  /** So that the first look has something to be compared with. */
  begin(): void {
    this.parts.memory?.compare();
  }

  async look(elsewhere: SeenElsewhere): Promise<Look> {
    const { qmp, pid } = this.qemu;
    const vcpus = this.parts.threads.map((thread) => threadTimes(pid, thread));
    const memory = this.parts.memory?.compare() ?? null;
    const [run, blocks, pending, jit, interrupts, screen] = await Promise.all([
      qmp.execute<{ status: string }>('query-status', {}, PATIENCE),
      qmp.execute<BlockStatistics[]>('query-blockstats', {}, PATIENCE),
      this.parts.queues.pending(qmp),
      this.table('x-query-jit'),
      this.table('x-query-irq'),
      screenLook(this.parts.files),
    ]);
    return {
      ...elsewhere,
      vcpus,
      memory,
      disks: diskLooks(this.parts.disks, blocks, pending),
      jit: this.jit.read(jit),
      interrupts: interruptCount(interrupts),
      screen,
      status: run.status,
    };
  }

  /** Empty where this QEMU or its accelerator has none. */
  private async table(command: string): Promise<string> {
    const table = await this.qemu.qmp.execute<Table>(command, {}, PATIENCE).catch(() => null);
    return table?.['human-readable-text'] ?? '';
  }
}
