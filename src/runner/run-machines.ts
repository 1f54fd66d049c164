/** The machines of one run: described from all that is known, started when asked for, each on overlays of its own; what one left is kept until the run ends. */
import type { KnownLease, Machine, MachineChoices, MachineStarter } from '../labs/lab.js';
import type { MachineLabRequest } from '../labs/machine/index.js';
import { MachineSession } from '../labs/machine/index.js';
import type { DescribedMachine, SavedMemory, Way } from '../ways.js';

export interface RunMachinesRequest {
  /** What the lab is opened with, when the first machine is asked for. */
  lab(): MachineLabRequest;
  hardware(way: Way): Promise<DescribedMachine>;
  memory(): Promise<SavedMemory | null>;
  /** Whether this host can continue the saved machine: null, or why not. */
  continuation(memory: SavedMemory): Promise<string | null>;
  /** What its cards had before. */
  leases(): KnownLease[];
  /** Of the saved memory, when it lies inside a disk. */
  snapshot: string | null;
}

export interface Left {
  way: Way;
  overlays: { disk: string; path: string }[];
}

export class RunMachines implements MachineStarter {
  private session: MachineSession | null = null;
  private readonly machines: Machine[] = [];

  constructor(private readonly request: RunMachinesRequest) {}

  /** How guests ran, for the record; empty when none did. */
  get started(): MachineSession['started'] {
    return this.session?.started ?? [];
  }

  async start(way: Way, choices: MachineChoices, signal: AbortSignal): Promise<Machine> {
    const { description } = await this.request.hardware(way);
    const memory = way === 'resume' ? await this.request.memory() : null;
    this.session ??= new MachineSession(this.request.lab());
    const snapshot = way === 'resume' ? this.request.snapshot : null;
    const machine = await this.session.start({ ...choices, way, description, memory, snapshot, leases: this.request.leases() }, signal);
    this.machines.push(machine);
    return machine;
  }

  async obstacle(way: Way): Promise<string | null> {
    if (way === 'boot') return null;
    const memory = await this.request.memory();
    if (!memory) return 'the restore point holds no saved memory';
    const { obstacles } = await this.request.hardware(way);
    return obstacles[0] ?? this.request.continuation(memory);
  }

  /** Disks of those that shut down in order; what others left is in the middle of something and proves nothing. */
  left(): Left[] {
    return this.machines.filter(shutDownInOrder).map((machine) => ({ way: machine.way, overlays: machine.overlays() }));
  }

  async close(): Promise<void> {
    await this.session?.close();
  }
}

function shutDownInOrder({ events }: Machine): boolean {
  return events.some(({ event, data }) => event === 'SHUTDOWN' && data.guest === true && data.reason === 'guest-shutdown');
}
