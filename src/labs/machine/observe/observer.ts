/** One look at a machine: everything that can be seen cheaply from outside, at once. */
import type { Look } from '../../../ways.js';
import type { GuestClock } from '../guest-clock.js';
import { threadOnHost, threadTimes } from '../host-threads.js';
import type { QemuProcess } from '../launch.js';
import { type BlockStatistics, diskLooks, VirtioQueues } from './disk-statistics.js';
import type { FilesOfQemu } from './files-of-qemu.js';
import type { GuestMemory } from './guest-memory.js';
import type { Pixels } from './pixels.js';
import { screenLook } from './screen.js';
import { Sparing } from './sparing.js';
import { clockDriftMs, interruptCount, JitCounter } from './statistics.js';

interface Table {
  'human-readable-text': string;
}

/** What is counted elsewhere, and belongs into a look. */
export type SeenElsewhere = Pick<Look, 'serialBytes' | 'framesSent'>;

/** On a host that is short of everything, QEMU may take long to answer. */
const PATIENCE = { timeoutMs: 60_000 };

export class Observer {
  private readonly jit = new JitCounter();
  /** Counted with all translated code locked: the more the guest has run, the longer it stands for that. */
  private readonly jitTable = new Sparing(() => this.table('x-query-jit'));
  /** Of the last look. */
  pixels: Pixels | null = null;

  private constructor(
    private readonly qemu: QemuProcess,
    private readonly clock: GuestClock,
    private readonly parts: { disks: string[]; threads: number[]; queues: VirtioQueues; memory: GuestMemory | null; files: FilesOfQemu },
  ) {}

  /** @param diskOfDevice by the id of the device */
  static async attach(
    qemu: QemuProcess,
    clock: GuestClock,
    memory: GuestMemory | null,
    files: FilesOfQemu,
    diskOfDevice: ReadonlyMap<string, string>,
  ): Promise<Observer> {
    const cpus = await qemu.qmp.execute<{ 'thread-id': number }[]>('query-cpus-fast');
    const threads = cpus.flatMap((cpu) => threadOnHost(qemu.pid, cpu['thread-id']) ?? []);
    const queues = await VirtioQueues.find(qemu.qmp, diskOfDevice);
    return new Observer(qemu, clock, { disks: [...diskOfDevice.values()], threads, queues, memory, files });
  }

  /** So that the first look has something to be compared with. */
  async begin(): Promise<void> {
    this.parts.memory?.compare();
    this.clock.drifted(clockDriftMs(await this.jitTable.get()));
  }

  async look(elsewhere: () => SeenElsewhere): Promise<Look> {
    const { qmp, pid } = this.qemu;
    const { threads, queues, memory, disks } = this.parts;
    const [run, blocks, pending, jit, interrupts, screen] = await Promise.all([
      qmp.execute<{ status: string }>('query-status', {}, PATIENCE),
      qmp.execute<BlockStatistics[]>('query-blockstats', {}, PATIENCE),
      queues.pending(qmp),
      this.jitTable.get(),
      this.table('x-query-irq'),
      this.screen(),
    ]);
    this.clock.drifted(clockDriftMs(jit));
    return {
      ...{ wallMs: this.clock.wallMs, guestMs: this.clock.guestMs, status: run.status, ...elsewhere() },
      vcpus: threads.map((thread) => threadTimes(pid, thread)),
      memory: memory?.compare() ?? null,
      disks: diskLooks(disks, blocks, pending),
      jit: this.jit.read(jit),
      interrupts: interruptCount(interrupts),
      screen,
    };
  }

  private async screen(): Promise<Look['screen']> {
    const { files } = this.parts;
    this.pixels = await files.screen();
    return this.pixels && screenLook(this.pixels, files);
  }

  /** Empty where this QEMU or its accelerator has none. */
  private async table(command: string): Promise<string> {
    const table = await this.qemu.qmp.execute<Table>(command, {}, PATIENCE).catch(() => null);
    return table?.['human-readable-text'] ?? '';
  }
}
