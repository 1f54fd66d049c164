/** Starts QEMU confined, as far as its control socket: paused, and with nothing of the guest run. */
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { InterruptedError, LabError } from '../../errors.js';
import { RUN_FOLDER_VARIABLE } from '../../process/run-folder.js';
import { runTool } from '../../process/run-tool.js';
import type { WorkFolder } from '../../process/work-folder.js';
import type { ConfinedProcess, SandboxSession, ServerRequest } from '../sandbox/index.js';
import { ErrorStream } from './error-stream.js';
import { processBelow } from './host-threads.js';
import { QmpClient } from './qmp.js';
import { refusal } from './refusal.js';

export const QEMU = 'qemu-system-x86_64';
const START_TIMEOUT_MS = 60_000;
const ENDING_MS = 5_000;
/** Besides the guest's RAM, which is shared with this process: translated code, video memory, ROMs, queues. */
const OVERHEAD_BYTES = 2 * 2 ** 30;

export interface Launch {
  /** All of QEMU's options, its control socket with them. */
  command: Pick<ServerRequest, 'tool' | 'args' | 'capabilities'>;
  qmpSocket: string;
  visible: Pick<ServerRequest, 'readable' | 'writable' | 'devices'>;
  /** Size of the guest's RAM: a file, for the limit on the size of files. */
  ramBytes: number;
  /** Largest overlay. */
  overlayBytes: number;
  sandbox: SandboxSession;
  workFolder: WorkFolder;
}

/** QEMU, running. */
export interface QemuProcess {
  child: ConfinedProcess;
  qmp: QmpClient;
  /** As the host sees it. */
  pid: number;
  errors: ErrorStream;
}

/** @throws LabError `machine.refused` when it does not take the hardware; others when this host is in the way. */
export async function launchQemu(launch: Launch, signal: AbortSignal): Promise<QemuProcess> {
  signal.throwIfAborted();
  const errors = new ErrorStream();
  const child = await spawnQemu(launch, errors);
  const stop = () => void child.kill();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const qmp = await connectOrFail(launch, child, errors);
    const pid = processBelow(child.pid, QEMU);
    if (pid === null) throw new LabError({ code: 'machine.start', message: 'QEMU was started, and cannot be found among the processes of this host.' });
    await limitOverlays(pid, launch);
    await offerToTheKernel(pid);
    return { child, qmp, pid, errors };
  } catch (error) {
    await child.kill();
    if (signal.aborted) throw signal.reason ?? new InterruptedError({ code: 'machine.interrupted', message: 'the start of the machine was interrupted' });
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function spawnQemu(launch: Launch, errors: ErrorStream): Promise<ConfinedProcess> {
  const child = await launch.sandbox.spawn({
    ...launch.command,
    ...launch.visible,
    env: { [RUN_FOLDER_VARIABLE]: launch.workFolder.path },
    dataBytes: OVERHEAD_BYTES,
    // The RAM is a file too, and is made at the start; the overlays grow later.
    fileBytes: Math.max(launch.ramBytes, launch.overlayBytes),
    onStderr: (chunk) => errors.add(chunk),
  });
  launch.workFolder.recordChild(child.pid);
  return child;
}

/** Its socket is there before its devices are: it may still end over them. */
async function connectOrFail(launch: Launch, child: ConfinedProcess, errors: ErrorStream): Promise<QmpClient> {
  try {
    return await QmpClient.connect(launch.qmpSocket, { timeoutMs: START_TIMEOUT_MS, giveUp: () => !child.running });
  } catch (error) {
    if (!(await endsSoon(child))) throw error;
    throw refusal('the hardware', errors.text(), (await child.exited).exitCode);
  }
}

/** Its sockets are closed a moment before the process is gone. */
export async function endsSoon(child: ConfinedProcess): Promise<boolean> {
  await Promise.race([child.exited, sleep(ENDING_MS, undefined, { ref: false })]);
  return !child.running;
}

/** When memory runs out, the kernel is to end this guest and not what the host is for. */
async function offerToTheKernel(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/oom_score_adj`, '1000').catch(() => undefined);
}

/** A write beyond the limit fails with "File too large", and the machine stops with an I/O error: it does not end. */
async function limitOverlays(pid: number, { overlayBytes }: Launch): Promise<void> {
  const { exitCode, stderr } = await runTool({ tool: 'prlimit', args: ['--pid', String(pid), `--fsize=${overlayBytes}`], timeoutMs: 20_000 });
  if (exitCode !== 0) throw new LabError({ code: 'machine.start', message: `The size of the overlays could not be limited: ${stderr.trim()}` });
}
