/** The sandbox: host tools in bubblewrap, without network, seeing only their input, with limits on time, memory and output. */
import { InterruptedError, LabError, SnapproofError } from '../../errors.js';
import type { Lab, LabSession, Sandbox, SandboxRequest, SandboxResult } from '../lab.js';
import type { Confinement, ConfinementMode, ServerRequest } from './arguments.js';
import { probeConfinement } from './probe.js';
import { type ConfinedProcess, startConfined } from './process.js';

export type { ConfinementMode, ServerRequest } from './arguments.js';
export type { ConfinedExit, ConfinedProcess } from './process.js';

export interface SandboxOptions {
  /** Largest file a tool may write; default 64 GiB. */
  fileBytes?: number;
}

export interface SandboxSession extends Sandbox, LabSession {
  /** Starts a long-running confined server; it ends with `kill`, with `close`, or with this process. */
  spawn(request: ServerRequest): Promise<ConfinedProcess>;
  /** How tools are confined here, for the record. @throws like `run`. */
  confinement(): Promise<ConfinementMode>;
}

const DEFAULT_FILE_BYTES = 64 * 2 ** 30;

/** Opens a sandbox; nothing is started before the first request. */
export function openSandbox(options: SandboxOptions = {}): SandboxSession {
  return new BubblewrapSandbox(options.fileBytes ?? DEFAULT_FILE_BYTES);
}

/** Starts one long-running confined server outside any session: the caller must `kill` it. */
export async function spawnSandboxed(request: ServerRequest, options: SandboxOptions = {}): Promise<ConfinedProcess> {
  return startConfined(await probeConfinement(options.fileBytes ?? DEFAULT_FILE_BYTES), request);
}

export const sandboxLab: Lab<SandboxOptions, SandboxSession> = {
  name: 'sandbox',
  async probe() {
    try {
      const { mode } = await probeConfinement(DEFAULT_FILE_BYTES);
      return { usable: true, why: mode === 'root' ? 'bubblewrap as root, without user namespace' : 'bubblewrap in a user namespace' };
    } catch (error) {
      if (!(error instanceof SnapproofError)) throw error;
      return { usable: false, why: [error.message, error.advice].filter(Boolean).join('. ') };
    }
  },
  async open(options, signal) {
    const session = openSandbox(options);
    signal.addEventListener('abort', () => void session.close(), { once: true });
    if (signal.aborted) await session.close();
    return session;
  },
};

class BubblewrapSandbox implements SandboxSession {
  private readonly alive = new Set<ConfinedProcess>();
  private probed: Promise<Confinement> | null = null;
  private closed = false;

  constructor(private readonly fileBytes: number) {}

  async run(request: SandboxRequest, signal: AbortSignal): Promise<SandboxResult> {
    const started = performance.now();
    if (signal.aborted) throw interruption(signal);
    const child = await this.spawn(request);
    let timedOut = false;
    const stop = () => void child.kill();
    const timer = setTimeout(() => {
      timedOut = true;
      stop();
    }, request.timeoutMs);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const { exitCode } = await child.exited;
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    if (signal.aborted) throw interruption(signal);
    assertStarted(request.tool, exitCode, child.stderr.text());
    const truncated = child.stdout.truncated || child.stderr.truncated;
    return { exitCode, stdout: child.stdout.text(), stderr: child.stderr.text(), timedOut, truncated, durationMs: performance.now() - started };
  }

  async spawn(request: ServerRequest): Promise<ConfinedProcess> {
    this.probed ??= probeConfinement(this.fileBytes);
    const confinement = await this.probed;
    if (this.closed) throw new InterruptedError({ code: 'sandbox.closed', message: `the sandbox was closed before "${request.tool}" could start` });
    const child = await startConfined(confinement, request);
    this.alive.add(child);
    void child.exited.then(() => this.alive.delete(child));
    if (this.closed) await child.kill();
    return child;
  }

  async confinement(): Promise<ConfinementMode> {
    this.probed ??= probeConfinement(this.fileBytes);
    return (await this.probed).mode;
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.alive].map((child) => child.kill()));
  }
}

/** bubblewrap and prlimit speak for themselves when they could not start the tool: that is no statement of the tool. */
function assertStarted(tool: string, exitCode: number | null, stderr: string): void {
  if (exitCode !== 1 || !/^(bwrap|prlimit): /.test(stderr)) return;
  throw new LabError({ code: 'sandbox.start', message: `cannot start "${tool}" in the sandbox: ${stderr.trim().split('\n')[0]}` });
}

function interruption(signal: AbortSignal): Error {
  if (signal.reason instanceof SnapproofError) return signal.reason;
  return new InterruptedError({ code: 'sandbox.interrupted', message: 'the work in the sandbox was interrupted', cause: signal.reason });
}
