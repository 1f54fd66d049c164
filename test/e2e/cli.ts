/** Runs the built program as a user would: a process of its own, with a folder for temporary files and a state folder of its own. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export const CLI = resolve(import.meta.dirname, '../../dist/src/cli.js');

/** @throws Error that says what to do when the program was not built. */
export function requireBuild(): void {
  if (!existsSync(CLI)) throw new Error(`these tests run the built program, and ${CLI} is not there: run "npm run build" first`);
}

export interface CliRun {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  durationMs: number;
  /** Largest resident memory of the program itself. */
  peakBytes: number;
}

export interface CliOptions {
  /** What comes before `node`, such as setpriv with its arguments. */
  before?: string[];
  env?: Record<string, string>;
  /** Called with every piece of standard error, with all of it so far, and with the process id. */
  watch?: (stderr: string, pid: number) => void;
  /** A group of its own, so that the test can kill all of it. */
  detached?: boolean;
}

export function runCli(args: string[], options: CliOptions = {}): Promise<CliRun> {
  const [program, ...rest] = [...(options.before ?? []), process.execPath, CLI, ...args];
  const start = performance.now();
  const child = spawn(program as string, rest, {
    env: { ...process.env, NO_COLOR: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: options.detached ?? false,
  });
  let stdout = '';
  let stderr = '';
  let peakBytes = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    if (child.pid !== undefined) options.watch?.(stderr, child.pid);
  });
  const meter = setInterval(() => {
    peakBytes = Math.max(peakBytes, residentBytes(child.pid));
  }, 50);
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('close', (exitCode, signal) => {
      clearInterval(meter);
      done({ exitCode, signal, stdout, stderr, durationMs: performance.now() - start, peakBytes });
    });
  });
}

function residentBytes(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
