/**
 * Drives one guestfish process over its standard input and output.
 * guestfish's input is also a host shell (`!cmd`, `| cmd`), so a command name is checked against a pattern and every
 * argument is double-quoted with each byte outside a small safe set written as \xHH: no byte of a guest can leave its quotes.
 * It runs confined (see confinement.ts), so that killing it ends the appliance too, and nothing of it stays.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { LabError } from '../../errors.js';
import { signalGroup } from '../../process/end-processes.js';

const SAFE_BYTE = /[A-Za-z0-9/._-]/;
const COMMAND = /^[a-z][a-z0-9-]*$/;

interface PendingCall {
  command: string;
  marker: string;
  stdout: string | null;
  stderr: string | null;
  resolve(output: string): void;
  reject(error: Error): void;
}

/** guestfish reads its commands into a buffer of 8 KiB and takes what is over for another command. */
const LINE_BYTES = 8000;

/** An argument as guestfish reads it back, byte for byte. Rejects NUL, which no command line can carry. */
export function quoteArgument(argument: string): string {
  let quoted = '"';
  for (const byte of Buffer.from(argument)) {
    if (byte === 0) throw new LabError({ code: 'appliance.nul', message: 'an argument for the appliance holds a NUL byte' });
    const character = String.fromCharCode(byte);
    quoted += SAFE_BYTE.test(character) ? character : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `${quoted}"`;
}

export class Guestfish {
  private readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  private readonly session = randomBytes(12).toString('hex');
  private queue: Promise<unknown> = Promise.resolve();
  private current: PendingCall | null = null;
  private counter = 0;
  private out = '';
  private err = '';
  private ended: LabError | null = null;
  private closed = false;
  private readonly gone: Promise<void>;

  /** @param command the program with its arguments: guestfish itself, or what confines it. */
  constructor([program, ...args]: [string, ...string[]], env: Record<string, string>) {
    this.child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env }, detached: true });
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
      this.settle();
    });
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
      this.settle();
    });
    this.child.stdin.on('error', () => {});
    this.gone = new Promise((resolve) => {
      this.child.once('error', (cause) => this.end(`guestfish cannot be started: ${cause.message}`, resolve));
      this.child.once('close', (code, signal) => this.end(`the appliance ended (${signal ?? `code ${code}`})`, resolve));
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Runs one command after those before it. Rejects with the tool's own text. A call that takes too long ends the appliance. */
  call(command: string, args: string[], timeoutMs: number): Promise<string> {
    if (!COMMAND.test(command)) return Promise.reject(new LabError({ code: 'appliance.command', message: `"${command}" is no command of the appliance` }));
    const line = [`-${command}`, ...args.map(quoteArgument)].join(' ');
    if (line.length > LINE_BYTES)
      return Promise.reject(new LabError({ code: 'appliance.line', message: `the command ${command} is too long for the appliance` }));
    const result = this.queue.then(() => this.send(command, line, timeoutMs));
    this.queue = result.catch(() => {});
    return result;
  }

  /** Ends the appliance at once: all it wrote to is thrown away. Resolves when its last process is gone. May be called twice. */
  async stop(): Promise<void> {
    this.kill('SIGKILL');
    await this.gone;
  }

  private send(command: string, line: string, timeoutMs: number): Promise<string> {
    if (this.ended) return Promise.reject(this.ended);
    const marker = `end-${this.session}-${++this.counter}`;
    return new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => this.kill('SIGKILL', `${command} took longer than ${Math.round(timeoutMs / 1000)} s`), timeoutMs);
      const done = (act: () => void) => {
        clearTimeout(timer);
        this.current = null;
        act();
      };
      this.current = {
        command,
        marker,
        stdout: null,
        stderr: null,
        resolve: (text) => done(() => resolve(text)),
        reject: (error) => done(() => reject(error)),
      };
      // The marker ends both streams: `echo` writes it to the one, an unknown command to the other.
      this.child.stdin.write(`${line}\necho ${marker}\n-${marker}\n`);
    });
  }

  private settle(): void {
    const call = this.current;
    if (!call) return;
    call.stdout ??= this.takeUntil('out', `${call.marker}\n`);
    call.stderr ??= this.takeUntil('err', `${call.marker}: unknown command\n`);
    if (call.stdout === null || call.stderr === null) return;
    const problem = errorText(call.stderr);
    if (problem) call.reject(new LabError({ code: 'appliance.call', message: `${call.command}: ${problem}` }));
    else call.resolve(call.stdout);
  }

  private takeUntil(stream: 'out' | 'err', end: string): string | null {
    const at = this[stream].indexOf(end);
    if (at < 0) return null;
    const text = this[stream].slice(0, at);
    this[stream] = this[stream].slice(at + end.length);
    return text;
  }

  private kill(signal: NodeJS.Signals, why?: string): void {
    if (why) this.ended ??= new LabError({ code: 'appliance.timeout', message: `${why}; the appliance was ended` });
    // The group: while bubblewrap sets up, the first process in its namespace does not yet die with it.
    if (this.child.pid !== undefined && !this.closed) signalGroup(this.child.pid, signal);
  }

  private end(why: string, resolve: () => void): void {
    this.closed = true;
    this.ended ??= new LabError({ code: 'appliance.ended', message: [why, errorText(this.err)].filter(Boolean).join(': ') });
    this.current?.reject(this.ended);
    resolve();
  }
}

/** The errors in what guestfish wrote, without its line numbers and general advice; empty when there are none. */
function errorText(stderr: string): string {
  return stderr
    .split('\n')
    .filter((line) => line.includes('libguestfs: error:') || /^\S+: unknown command/.test(line))
    .map((line) => line.replace(/^.*?libguestfs: error: /, '').trim())
    .join('; ');
}
