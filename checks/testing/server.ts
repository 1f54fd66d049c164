/** Real servers for tests: started in a temporary folder, paused for a capture, ended by their own process id. */
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Names of the packages whose programs are missing here. */
export function missingPackages(needed: Record<string, string>): string[] {
  return Object.entries(needed)
    .filter(([program]) => spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${program}`]).status !== 0)
    .map(([, name]) => name);
}

export class RealServer {
  private readonly process: ChildProcess;
  output = '';

  constructor(command: string, args: string[], options: SpawnOptions = {}) {
    this.process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    const note = (text: string) => {
      this.output += text.slice(0, 4000);
    };
    for (const stream of [this.process.stdout, this.process.stderr]) stream?.on('data', (data: Buffer) => note(data.toString('latin1')));
    this.process.on('error', (error) => note(error.message));
  }

  /** Where it was started with one. */
  get stdin() {
    return this.process.stdin;
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null && this.process.pid !== undefined;
  }

  /** True as soon as `ready` is; false when the server ended or the time is over. */
  async until(ready: () => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<boolean> {
    for (const end = Date.now() + timeoutMs; Date.now() < end; await sleep(30)) {
      if (!this.running) return false;
      if (await ready()) return true;
    }
    return false;
  }

  /**
   * Copies a folder while the server stands still between two instructions: what a snapshot of its file system would hold.
   * Processes that it forked (Redis saves in one) write too: they stand still as well. The parent first, so that none is added.
   */
  async capture(from: string, to: string): Promise<void> {
    const { pid } = this.process;
    if (pid === undefined) throw new Error('the server did not start');
    const stopped = [pid];
    await halt(pid);
    try {
      for (const child of childrenOf(pid)) {
        stopped.push(child);
        await halt(child);
      }
      cpSync(from, to, { recursive: true });
    } finally {
      for (const one of stopped) signalIfThere(one, 'SIGCONT');
    }
  }

  /** Ends the server and what it forked, each by its own process id. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const { pid } = this.process;
    if (!this.running || pid === undefined) return;
    const children = childrenOf(pid);
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill(signal);
    await Promise.race([ended, sleep(5000)]);
    if (this.running) this.process.kill('SIGKILL');
    if (this.running) await ended;
    for (const child of children) signalIfThere(child, 'SIGKILL');
  }
}

/** Direct and further children that run now. */
function childrenOf(pid: number): number[] {
  const listed = readOrNothing(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
  return listed.flatMap((child) => [child, ...childrenOf(child)]);
}

/** Resolves when the process has stopped, or is gone. */
async function halt(pid: number): Promise<void> {
  signalIfThere(pid, 'SIGSTOP');
  for (;;) {
    const status = readOrNothing(`/proc/${pid}/status`);
    if (status === '' || /^State:\s+[TZX]/m.test(status)) return;
    await sleep(1);
  }
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself.
  }
}
