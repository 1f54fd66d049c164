/** A guest in QEMU, from the moment it stands ready and paused until its overlays are thrown away. */
import { rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from '../../errors.js';
import type { Look, MachineDescription, MachineEvent } from '../../ways.js';
import type { GuestNetwork, KeyStroke, Machine, MachineRequest, MachineTrouble } from '../lab.js';
import type { GuestClock } from './guest-clock.js';
import { endsSoon, type QemuProcess } from './launch.js';
import type { SerialLine } from './lines.js';
import type { EventLog } from './machine-events.js';
import type { FilesOfQemu } from './observe/files-of-qemu.js';
import { type GuestMemory, OVERLAID } from './observe/guest-memory.js';
import type { Observer } from './observe/observer.js';
import { pngOf } from './observe/pixels.js';
import { wordsOf } from './refusal.js';
import { beyondLimit, troubleOf } from './trouble.js';

/** What makes up a machine; put together by who starts it. */
export interface MachineParts {
  way: MachineRequest['way'];
  description: MachineDescription;
  accelerator: 'kvm' | 'tcg';
  qemu: QemuProcess;
  clock: GuestClock;
  log: EventLog;
  observer: Observer;
  memory: GuestMemory | null;
  files: FilesOfQemu;
  serial: SerialLine | null;
  network: GuestNetwork | null;
  /** Whether this QEMU tells of the lights of the keyboard. */
  lights: boolean;
  overlays: { disk: string; path: string }[];
  overlayBytes: number;
  /** Everything of this machine lies there. */
  folder: string;
  /** Ends what serves its disks and holds its lines. */
  release(): Promise<void>;
}

/** After each key that goes down or up, of the guest's time: QEMU keeps what comes meanwhile in order. */
const HOLD_MS = 15;
const QUIT_TIMEOUT_MS = 15_000;
const MAX_READ_BYTES = 64 * 2 ** 20;
/** A write that fails at the limit may have been this large. */
const NEAR_LIMIT_BYTES = 2 * 2 ** 20;

export class RunningMachine implements Machine {
  readonly ended: Promise<{ exitCode: number | null; stderr: string }>;
  private seenTrouble: MachineTrouble | null = null;
  private closing: Promise<void> | null = null;

  constructor(private readonly parts: MachineParts) {
    const { qemu } = parts;
    this.ended = qemu.child.exited.then(({ exitCode }) => ({ exitCode, stderr: qemu.errors.text() }));
    void this.ended.then(() => parts.clock.paused());
    qemu.qmp.onEvent((event) => {
      parts.log.add(event);
      this.seenTrouble ??= troubleOf(event, parts.overlayBytes);
    });
  }

  get way(): MachineRequest['way'] {
    return this.parts.way;
  }

  get accelerator(): 'kvm' | 'tcg' {
    return this.parts.accelerator;
  }

  get description(): MachineDescription {
    return this.parts.description;
  }

  get network(): GuestNetwork | null {
    return this.parts.network;
  }

  get events(): readonly MachineEvent[] {
    return this.parts.log.all;
  }

  async run(): Promise<void> {
    await this.asked(async () => {
      await this.parts.observer.begin();
      await this.parts.qemu.qmp.execute('cont');
    });
  }

  async look(): Promise<Look> {
    const { serial, network } = this.parts;
    const look = await this.asked(() => this.parts.observer.look(() => ({ serialBytes: serial?.bytes ?? 0, framesSent: network?.framesSent ?? null })));
    await this.lookForLimit(look);
    return look;
  }

  wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        stop();
        resolve();
      };
      const timer = setTimeout(end, signal.aborted ? 0 : ms);
      signal.addEventListener('abort', end);
      const stop = this.parts.qemu.qmp.onEvent(({ event }) => event === 'SHUTDOWN' && end());
    });
  }

  async screenshot(): Promise<Buffer | null> {
    const { pixels } = this.parts.observer;
    return pixels && pngOf(pixels);
  }

  serialText(): string {
    return this.parts.serial?.text() ?? '';
  }

  async writeSerial(text: string): Promise<boolean> {
    await this.parts.serial?.write(text);
    return this.parts.serial !== null;
  }

  async press(keys: KeyStroke[]): Promise<void> {
    const strokes = keys.map((stroke) => stroke.split('-').map((data) => ({ type: 'qcode', data })));
    for (const held of strokes) await this.asked(() => this.parts.qemu.qmp.execute('send-key', { keys: held, 'hold-time': HOLD_MS }));
    await sleep(2 * HOLD_MS * strokes.flat().length);
  }

  keyboardLights(): number | null {
    return this.parts.lights ? this.parts.qemu.errors.lightChanges : null;
  }

  async pressPower(): Promise<void> {
    await this.asked(() => this.parts.qemu.qmp.execute('system_powerdown'));
  }

  async readMemory(address: number, lengthBytes: number): Promise<Buffer> {
    if (!(address >= 0 && lengthBytes > 0 && lengthBytes <= MAX_READ_BYTES)) throw new RangeError(`${lengthBytes} bytes at ${address} cannot be read at once`);
    const { memory, files } = this.parts;
    if (address < OVERLAID.to && address + lengthBytes > OVERLAID.to) {
      const low = OVERLAID.to - address;
      return Buffer.concat([await this.readMemory(address, low), await this.readMemory(OVERLAID.to, lengthBytes - low)]);
    }
    return this.asked(async () => memory?.read(address, lengthBytes) ?? files.physicalMemory(address, lengthBytes));
  }

  trouble(): MachineTrouble | null {
    return this.seenTrouble;
  }

  overlays(): { disk: string; path: string }[] {
    return this.parts.overlays;
  }

  close(): Promise<void> {
    this.closing ??= this.end();
    return this.closing;
  }

  async discard(): Promise<void> {
    this.closing ??= this.kill();
    await this.closing;
    await rm(this.parts.folder, { recursive: true, force: true });
  }

  /** In order, so that the overlays are whole; by force when QEMU does not answer. */
  private async end(): Promise<void> {
    const { qemu } = this.parts;
    if (qemu.child.running) {
      const timer = new AbortController();
      // Its socket may be gone before its answer was read: what counts is that it ends.
      await qemu.qmp.execute('quit', {}, { timeoutMs: QUIT_TIMEOUT_MS }).catch(() => undefined);
      await Promise.race([qemu.child.exited, sleep(QUIT_TIMEOUT_MS, undefined, { signal: timer.signal })]).catch(() => undefined);
      timer.abort();
    }
    await this.kill();
  }

  private async kill(): Promise<void> {
    await this.parts.qemu.child.kill();
    await this.parts.release();
  }

  /** Asks QEMU; what it can no longer answer because it has ended is said with its last words. */
  private async asked<T>(question: () => Promise<T>): Promise<T> {
    const { child, qmp } = this.parts.qemu;
    if (!child.running) throw this.endedError();
    try {
      return await question();
    } catch (error) {
      throw qmp.closed && (await endsSoon(child)) ? this.endedError(error) : error;
    }
  }

  private endedError(cause?: unknown): LabError {
    const words = wordsOf(this.parts.qemu.errors.text());
    return new LabError({ code: 'machine.ended', message: `QEMU has ended${words ? `: ${words}` : ''}.`, cause });
  }

  /** Some disks (NVMe) hand every error to the guest, and QEMU tells of none. */
  private async lookForLimit(look: Look): Promise<void> {
    for (const { disk, failed } of look.disks) {
      const path = this.parts.overlays.find((overlay) => overlay.disk === disk)?.path;
      if (failed === 0 || this.seenTrouble || path === undefined) continue;
      const { size } = await stat(path);
      if (size + NEAR_LIMIT_BYTES > this.parts.overlayBytes) this.seenTrouble = beyondLimit(disk, this.parts.overlayBytes);
    }
  }
}
