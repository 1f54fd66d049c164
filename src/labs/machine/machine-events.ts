/** What QEMU tells of its own accord, as far as it says something about the guest, with both clocks. */
import type { MachineEvent } from '../../ways.js';
import type { GuestClock } from './guest-clock.js';
import type { QmpEvent } from './qmp.js';

/** Names and data as in QEMU's qapi/run-state.json and qapi/block-core.json. */
const THAT_MATTER = new Set([
  'BLOCK_IMAGE_CORRUPTED',
  'BLOCK_IO_ERROR',
  'GUEST_CRASHLOADED',
  'GUEST_PANICKED',
  'MEMORY_FAILURE',
  'POWERDOWN',
  'RESET',
  'RESUME',
  'RTC_CHANGE',
  'SHUTDOWN',
  'STOP',
  'SUSPEND',
  'SUSPEND_DISK',
  'WAKEUP',
  'WATCHDOG',
]);
const MAX_KEPT = 1000;

export class EventLog {
  private readonly kept: MachineEvent[] = [];

  constructor(private readonly clock: GuestClock) {}

  get all(): readonly MachineEvent[] {
    return this.kept;
  }

  add({ event, data }: QmpEvent): void {
    if (event === 'RESUME') this.clock.resumed();
    if (event === 'STOP') this.clock.paused();
    if (!THAT_MATTER.has(event)) return;
    this.kept.push({ wallMs: this.clock.wallMs, guestMs: this.clock.guestMs, event, data });
    if (this.kept.length > MAX_KEPT) this.kept.shift();
  }
}
