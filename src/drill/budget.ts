/** How many verifications this host bears at once: by memory, and by processors. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { Policy } from '../types.js';

const MIB = 2 ** 20;
/** Of our own program beside the appliance: its heap, threads and buffers. */
const PROGRAM_MIB = 768;
/** Of a machine of which nothing says how much memory it has. */
const MACHINE_MIB = 2048;

/** What one verification may need. @param machineMiB of the guest; null: nothing says. */
export function needMiB(policy: Policy, machineMiB: number | null): number {
  const starts = policy.depth !== 'static' && policy.depth !== 'recovery';
  return policy.limits.applianceMemoryMiB + PROGRAM_MIB + (starts ? (machineMiB ?? MACHINE_MIB) : 0);
}

/** Three quarters of what the kernel says programs can still have. */
export function availableMiB(): number {
  const kilobytes = Number(/^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0);
  return Math.floor((kilobytes * 1024 * 0.75) / MIB);
}

/** Each verification keeps about two processors busy: the appliance, and the reading of pages. */
export function defaultSlots(totalMiB: number, leastNeedMiB: number, processors = availableParallelism()): number {
  return Math.max(1, Math.min(Math.floor(totalMiB / leastNeedMiB), Math.floor(processors / 2)));
}

/** Memory that is given out and comes back; whoever asks waits in line. Somebody who needs more than there is waits until all is free. */
export class MemoryBudget {
  private free: number;
  private readonly waiting: { need: number; go: () => void }[] = [];

  constructor(private readonly totalMiB: number) {
    this.free = totalMiB;
  }

  async with<T>(needMiB: number, work: () => Promise<T>): Promise<T> {
    const need = Math.min(needMiB, this.totalMiB);
    if (this.waiting.length > 0 || need > this.free) await new Promise<void>((go) => this.waiting.push({ need, go }));
    else this.free -= need;
    try {
      return await work();
    } finally {
      this.free += need;
      this.wake();
    }
  }

  private wake(): void {
    for (let first = this.waiting[0]; first && first.need <= this.free; first = this.waiting[0]) {
      this.waiting.shift();
      this.free -= first.need;
      first.go();
    }
  }
}
