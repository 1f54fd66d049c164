/** The machines of one run: started when asked for, each on overlays of its own; what one left is kept until the run ends. */
import type { Machine, MachineChoices, MachineStarter } from '../labs/lab.js';
import type { Way } from '../ways.js';

export interface Left {
  way: Way;
  overlays: { disk: string; path: string }[];
}

export class RunMachines implements MachineStarter {
  private readonly started: Machine[] = [];

  constructor(private readonly lab: MachineStarter) {}

  async start(way: Way, choices: MachineChoices, signal: AbortSignal): Promise<Machine> {
    const machine = await this.lab.start(way, choices, signal);
    this.started.push(machine);
    return machine;
  }

  obstacle(way: Way): Promise<string | null> {
    return this.lab.obstacle(way);
  }

  /** Disks of those that shut down in order; what others left is in the middle of something and proves nothing. */
  left(): Left[] {
    return this.started.filter(shutDownInOrder).map((machine) => ({ way: machine.way, overlays: machine.overlays() }));
  }

  async close(): Promise<void> {
    await Promise.all(this.started.map((machine) => machine.discard()));
  }
}

function shutDownInOrder({ events }: Machine): boolean {
  return events.some(({ event, data }) => event === 'SHUTDOWN' && data.guest === true && data.reason === 'guest-shutdown');
}
