/** The appliance lab: libguestfs, launched once per restore point, on the throw-away overlays, without network. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { InterruptedError, LabError } from '../../errors.js';
import type { ByteMap, SystemMount } from '../../types.js';
import { applianceEnvironment } from '../acceleration.js';
import { type Appliance, type ApplianceResult, KEPT_PREFIX, type Lab, type LabSession, type ScriptOptions } from '../lab.js';
import { confinedGuestfish } from './confinement.js';
import { Guestfish } from './guestfish.js';
import { runnerRequest, SCRIPT_PATH } from './init.js';
import { ScratchDisk } from './scratch.js';
import { guestWrapper, mountCommand } from './scripts.js';
import { SideBySide } from './side-by-side.js';

/** Software emulation on a busy machine was measured at 30 s. */
const LAUNCH_TIMEOUT_MS = 300_000;
const CALL_TIMEOUT_MS = 120_000;
/** A script is seldom more than two programs that feed each other. */
const MAX_PROCESSORS = 2;
/** A script ends by its own limit first; this one is for an appliance that hangs. */
const GRACE_MS = 60_000;

/** Names by label: the kernel's own (`/dev/sda`) depend on which disk answers first. */
const DEVICE_FOLDER = '/dev/disk/guestfs';
const SCRATCH_LABEL = 'scratch';

/** Innermost mounts first: the reverse of the order in which they were made. The appliance has no awk. */
const unmountScript = (spared: string) => `
sync
places=()
while read -r _ place _; do
  case $place in ${spared}) ;; /sysroot|/sysroot/*|/snap/*) places=("$(printf '%b' "$place")" "\${places[@]}");; esac
done </proc/mounts
for place in "\${places[@]}"; do umount -- "$place" || exit 1; done
sync`;
const SPARED: Record<'none' | 'kept', string> = { none: '/', kept: `${KEPT_PREFIX}*` };

export interface ApplianceRequest {
  /** Overlays in the order of the disks. */
  disks: { socketPath: string; exportName: string }[];
  workFolder: string;
  memoryMiB: number;
  scratchBytes: number;
  /** As `applianceEnvironment` gives it. */
  environment: Record<string, string>;
}

export class ApplianceLab implements Lab<ApplianceRequest, ApplianceSession> {
  readonly name = 'appliance';

  /** A launch on no disks at all is the only honest answer. */
  async probe(): Promise<{ usable: boolean; why: string }> {
    const environment = await applianceEnvironment();
    const fish = new Guestfish(await confinedGuestfish(['-a', '/dev/null'], { writable: cacheOf(environment) }), { ...environment, TMPDIR: '/tmp' });
    try {
      await fish.call('run', [], LAUNCH_TIMEOUT_MS);
      return { usable: true, why: 'the appliance starts' };
    } catch (error) {
      return { usable: false, why: error instanceof Error ? error.message : String(error) };
    } finally {
      await fish.stop();
    }
  }

  async open(request: ApplianceRequest, signal: AbortSignal): Promise<ApplianceSession> {
    throwIfAborted(signal);
    const folder = join(request.workFolder, 'appliance');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const scratch = await ScratchDisk.create(join(folder, 'scratch.raw'), `${DEVICE_FOLDER}/${SCRATCH_LABEL}`, request.scratchBytes);
    const env = { ...request.environment, TMPDIR: folder, LIBGUESTFS_MEMSIZE: String(request.memoryMiB) };
    const fish = new Guestfish(await confinedGuestfish([], { writable: [request.workFolder, ...cacheOf(env)] }), env);
    const session = new ApplianceSession(fish, scratch, folder, signal);
    try {
      throwIfAborted(signal);
      await fish.call('set-smp', [String(Math.min(availableParallelism(), MAX_PROCESSORS))], CALL_TIMEOUT_MS);
      for (const [index, disk] of request.disks.entries()) await fish.call('add-drive', overlayDrive(disk, diskLabel(index)), CALL_TIMEOUT_MS);
      // Thrown away with the run: nothing on it must survive a power cut, so no flush need reach the disk.
      await fish.call('add-drive', [scratch.path, 'format:raw', 'cachemode:unsafe', `label:${SCRATCH_LABEL}`], CALL_TIMEOUT_MS);
      await fish.call('run', [], LAUNCH_TIMEOUT_MS);
    } catch (error) {
      await session.close();
      throwIfAborted(signal);
      throw error;
    }
    return session;
  }
}

export class ApplianceSession implements Appliance, LabSession {
  /** Grows when something may have changed the guest's files: what was read before is stale. */
  generation = 0;
  /** Whether a file system of the guest may be mounted: each question to the appliance costs, so none is asked in vain. */
  private mounted = false;
  private turn: Promise<unknown> = Promise.resolve();
  private readonly together = new SideBySide((script, timeoutMs) => this.run(script, timeoutMs));
  private closing: Promise<void> | null = null;

  constructor(
    private readonly fish: Guestfish,
    readonly scratch: ScratchDisk,
    private readonly folder: string,
    signal: AbortSignal,
  ) {
    signal.addEventListener('abort', () => void this.close(), { once: true });
  }

  call(command: string, ...args: string[]): Promise<string> {
    return this.fish.call(command, args, CALL_TIMEOUT_MS);
  }

  async script(script: string, options: ScriptOptions): Promise<ApplianceResult> {
    const { timeoutMs } = options;
    if (options.keeps) this.mounted = true;
    const result = await (options.sideBySide ? this.together.ask({ script, timeoutMs }) : this.run(script, timeoutMs));
    if (result.timedOut) this.mounted = true; // whatever it had mounted is still there
    return result;
  }

  async guestScript(script: string, options: { timeoutMs: number }): Promise<ApplianceResult> {
    this.generation++;
    return this.run(guestWrapper(script, options.timeoutMs), options.timeoutMs + GRACE_MS / 2);
  }

  /** What a script prints, of any length and content, by the scratch disk. */
  async stream(script: string, options: { timeoutMs: number }): Promise<ByteMap> {
    return this.scratch.receive(async (sink) => {
      const result = await this.script(`set -o pipefail\n{\n${script}\n} | ${sink}`, options);
      if (result.timedOut) throw new LabError({ code: 'appliance.stream', message: 'taking data out of the appliance took too long' });
      return result.stdout;
    });
  }

  async mountSystem(mounts: SystemMount[], mode: 'read-only' | 'writable'): Promise<void> {
    await this.unmountAll();
    this.generation++;
    this.noteMounted();
    const ordered = mounts.filter((mount) => mount.device !== null).sort((a, b) => a.mountPoint.length - b.mountPoint.length);
    const lines = ordered.map((mount) => mountCommand({ ...mount, device: mount.device as string }, `/sysroot${mount.mountPoint}`, mode));
    const result = await this.script(['set -e', 'modprobe -a -q xfs btrfs vfat 2>/dev/null || true', ...lines].join('\n'), { timeoutMs: CALL_TIMEOUT_MS });
    if (result.exitCode !== 0) throw new LabError({ code: 'appliance.mount', message: `the guest's file systems cannot be mounted: ${result.stderr.trim()}` });
  }

  /** To be told before something is mounted by a script. */
  noteMounted(): void {
    this.mounted = true;
  }

  /** Unmounts everything of the guest, innermost first, and flushes it to the overlays. */
  async unmountAll(spared: 'none' | 'kept' = 'none'): Promise<void> {
    this.generation++;
    if (!this.mounted) return;
    const result = await this.script(unmountScript(SPARED[spared]), { timeoutMs: CALL_TIMEOUT_MS });
    if (result.exitCode !== 0)
      throw new LabError({ code: 'appliance.unmount', message: `a file system of the guest cannot be unmounted: ${result.stderr.trim()}` });
    this.mounted = spared === 'kept';
  }

  close(): Promise<void> {
    this.closing ??= this.fish.stop().then(() => rm(this.folder, { recursive: true, force: true, maxRetries: 3 }));
    return this.closing;
  }

  private run(script: string, timeoutMs: number): Promise<ApplianceResult> {
    const result = this.turn.then(() => this.runNow(script, timeoutMs));
    this.turn = result.catch(() => {});
    return result;
  }

  private async runNow(script: string, timeoutMs: number): Promise<ApplianceResult> {
    const file = join(this.folder, 'script');
    await writeFile(file, script, { mode: 0o600 });
    const startedAt = Date.now();
    await this.fish.call('debug-upload', [file, SCRIPT_PATH, '0600'], CALL_TIMEOUT_MS);
    const printed = await this.fish.call('debug', ['sh', runnerRequest(timeoutMs)], timeoutMs + GRACE_MS);
    const [code = '', stdout = '', stderr = ''] = printed.split('\n');
    const exitCode = Number.parseInt(code, 10);
    return { exitCode, stdout: decode(stdout), stderr: decode(stderr), timedOut: exitCode === 124 || exitCode === 137, durationMs: Date.now() - startedAt };
  }
}

function throwIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  if (signal.reason instanceof InterruptedError) throw signal.reason;
  throw new InterruptedError({ code: 'appliance.interrupted', message: 'the start of the appliance was interrupted', cause: signal.reason });
}

/** Where libguestfs keeps what it learnt of qemu. */
function cacheOf(environment: Record<string, string>): string[] {
  const folder = environment.LIBGUESTFS_CACHEDIR;
  return folder === undefined ? ['/var/tmp'] : [folder];
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

function overlayDrive(disk: { socketPath: string; exportName: string }, label: string): string[] {
  return [disk.exportName, 'format:raw', 'protocol:nbd', `server:unix:${disk.socketPath}`, `label:${label}`];
}

/** libguestfs takes letters only: `diska`, ... `diskz`, `diskaa`. */
export function diskLabel(index: number): string {
  const letter = (n: number) => String.fromCharCode(97 + n);
  return `disk${index < 26 ? letter(index) : letter(Math.floor(index / 26) - 1) + letter(index % 26)}`;
}

/** A disk's name in the appliance, whatever order its kernel found the disks in; a partition's number follows it. */
export function deviceName(index: number): string {
  return `${DEVICE_FOLDER}/${diskLabel(index)}`;
}
