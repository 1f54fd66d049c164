/** A machine whose behaviour is stated, on a clock of its own: for tests of what is concluded from it. */
import type { Machine } from '../../../src/labs/lab.js';
import type { Look, MachineDescription, MachineEvent, Way } from '../../../src/ways.js';

export interface Behaviour {
  way?: Way;
  /** How much of its time each vCPU runs. */
  busy: number[];
  /** How much of its time each vCPU waits for a processor of the host. */
  starved?: number;
  /** By second of its time. */
  switches?: number;
  newCode?: number;
  writes?: number;
  memoryChanges?: number;
  /** From then on nothing of that happens any more. */
  standsAfterMs?: number;
  /** Its processors are as busy as ever while it shuts down. */
  hangs?: boolean;
  /** Requests that stand open for ever. */
  pending?: number;
  reacts?: { lights?: boolean; keys?: boolean; serial?: boolean; sysrq?: boolean };
  /** It shuts down so long after the power button; null: it never does. */
  powerOffAfterMs?: number | null;
  /** Before, nobody is there to take notice of the power button. */
  upAfterMs?: number;
  /** Screen by the time since the start. */
  screen?: (ms: number) => string;
  serial?: (ms: number) => string;
  events?: (ms: number) => { event: string; data: Record<string, unknown> }[];
  withoutSerial?: boolean;
  /** It runs on the host's own processor: nothing is known of its code. */
  withoutJit?: boolean;
  /** Its screen is in a graphics mode: what it shows is known only to who reads pictures. */
  graphics?: boolean;
  /** What a look costs on the machine's clock. Default: 250. */
  lookMs?: number;
  /** Its memory cannot be sampled. */
  withoutMemory?: boolean;
  /** A key moves a processor that stood still by so much. */
  wakesByMs?: number;
}

const LOOK_MS = 250;
const DESCRIPTION: MachineDescription = {
  ...{ machineType: 'pc-q35-7.2', cpuModel: 'max', cpus: 2, memoryMiB: 512, firmware: 'bios' },
  ...{ devices: [], machineOptions: {}, flashBytes: [], userNetworks: 0, origins: {}, deviations: [] },
};

export class SimulatedMachine implements Machine {
  readonly accelerator = 'tcg';
  readonly description = DESCRIPTION;
  readonly network = null;
  readonly way: Way;
  readonly ended = new Promise<never>(() => undefined);
  readonly touched: string[] = [];
  private now = 0;
  private lights = 0;
  private typed = '';
  private answers = '';
  private woken = 0;
  private poweredAt: number | null = null;

  constructor(private readonly behaviour: Behaviour) {
    this.way = behaviour.way ?? 'resume';
  }

  async run(): Promise<void> {}

  /** Lets the machine's own time go on. */
  async wait(ms: number): Promise<void> {
    this.now += ms;
  }

  get events(): MachineEvent[] {
    const stated = this.behaviour.events?.(this.now) ?? [];
    const off = this.isOff() ? [{ event: 'SHUTDOWN', data: { guest: true, reason: 'guest-shutdown' } }] : [];
    return [...stated, ...off].map((event) => ({ wallMs: this.now, guestMs: this.now, ...event }));
  }

  async look(): Promise<Look> {
    this.now += this.behaviour.lookMs ?? LOOK_MS;
    const { busy, starved = 0, switches = 0, newCode = 0, writes = 0, memoryChanges = 0, pending = 0 } = this.behaviour;
    const { standsAfterMs = Number.POSITIVE_INFINITY } = this.behaviour;
    const seconds = Math.min(this.now, standsAfterMs) / 1000;
    const text = this.screenText();
    return {
      wallMs: this.now,
      guestMs: this.now,
      vcpus: busy.map((share) => ({ cpuMs: share * this.busyMs * (1 - starved) + this.woken, waitedMs: starved * this.now })),
      disks: [{ disk: 'disk0', reads: 0, writes: Math.floor(writes * seconds), readBytes: 0, writtenBytes: 0, flushes: 0, failed: 0, pending }],
      jit: this.behaviour.withoutJit ? null : { flushes: Math.floor(switches * seconds), blocks: Math.floor(newCode * seconds) },
      interrupts: null,
      memory: this.behaviour.withoutMemory ? null : { changed: this.now > standsAfterMs ? 0 : memoryChanges, sampled: 256 },
      screen: { digest: text, text: this.behaviour.graphics ? null : text, width: 720, height: 400, blank: text.trim() === '' },
      serialBytes: this.serialText().length,
      status: this.isOff() ? 'shutdown' : 'running',
      framesSent: null,
    };
  }

  async screenshot(): Promise<Buffer> {
    return Buffer.from(this.screenText());
  }

  serialText(): string {
    return (this.behaviour.serial?.(this.now) ?? '') + this.answers;
  }

  async writeSerial(text: string): Promise<boolean> {
    if (this.behaviour.withoutSerial) return false;
    this.touched.push(`serial ${JSON.stringify(text)}`);
    if (this.behaviour.reacts?.serial) this.answers += text;
    return true;
  }

  async press(keys: string[]): Promise<void> {
    this.touched.push(...keys);
    const { lights, keys: echo, sysrq } = this.behaviour.reacts ?? {};
    this.woken += this.behaviour.wakesByMs ?? 0;
    if (keys.includes('caps_lock') && lights) this.lights += 2;
    if (keys.includes('z') && echo) this.typed += 'z';
    if (keys.includes('backspace')) this.typed = this.typed.slice(0, -1);
    if (keys.includes('alt-sysrq-h') && sysrq) this.answers += '\nsysrq: HELP : loglevel(0-9) reboot(b)\n';
  }

  keyboardLights(): number {
    return this.lights;
  }

  async pressPower(): Promise<void> {
    this.touched.push('power');
    if (this.now >= (this.behaviour.upAfterMs ?? 0)) this.poweredAt ??= this.now;
  }

  async readMemory(_address: number, lengthBytes: number): Promise<Buffer> {
    return Buffer.alloc(lengthBytes);
  }

  trouble(): null {
    return null;
  }

  overlays(): [] {
    return [];
  }

  async close(): Promise<void> {}

  async discard(): Promise<void> {}

  /** What shuts down waits for its disks now and then, unless something in it hangs. */
  private get busyMs(): number {
    const { hangs = false, powerOffAfterMs = null } = this.behaviour;
    return this.poweredAt === null || powerOffAfterMs === null || hangs ? this.now : this.poweredAt + (this.now - this.poweredAt) / 2;
  }

  private screenText(): string {
    return (this.behaviour.screen?.(this.now) ?? '') + this.typed;
  }

  private isOff(): boolean {
    const after = this.behaviour.powerOffAfterMs ?? null;
    return this.poweredAt !== null && after !== null && this.now - this.poweredAt >= after;
  }
}
