/**
 * A process inside the sandbox as the host sees it: it has other numbers there, proc(5) `NSpid`. With its threads' processor time
 * and the files it has open, nothing has to be asked of the process itself.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { descendantsOf } from '../../process/proc.js';

/** The host's number of the process below `ancestor` that runs a program of this name; null when there is none. */
export function processBelow(ancestor: number, programName: string): number | null {
  return descendantsOf(ancestor).find((pid) => programOf(pid) === programName) ?? null;
}

/** The host's number of a thread, by the number it has in its own namespace. */
export function threadOnHost(pid: number, innerThread: number): number | null {
  const threads = attempt(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  return threads.map(Number).find((thread) => innerNumber(pid, thread) === innerThread) ?? null;
}

/** Milliseconds; `waitedMs` is the time in which it wanted to run and had no processor. Source: Documentation/scheduler/sched-stats.rst. */
export function threadTimes(pid: number, thread: number): { cpuMs: number; waitedMs: number } {
  const text = attempt(() => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1')) ?? '';
  const [cpuNs = 0, waitedNs = 0] = text.split(' ').map(Number);
  return { cpuMs: cpuNs / 1e6, waitedMs: waitedNs / 1e6 };
}

/** A path under which an open file of the process can be opened, by the beginning of what it is called. */
export function openFileOf(pid: number, nameStart: string): string | null {
  const numbers = attempt(() => readdirSync(`/proc/${pid}/fd`)) ?? [];
  const found = numbers.find((number) => attempt(() => readlinkSync(`/proc/${pid}/fd/${number}`))?.startsWith(nameStart));
  return found === undefined ? null : `/proc/${pid}/fd/${found}`;
}

function programOf(pid: number): string {
  return (
    attempt(() => readlinkSync(`/proc/${pid}/exe`))
      ?.split('/')
      .at(-1) ?? ''
  );
}

function innerNumber(pid: number, thread: number): number {
  const status = attempt(() => readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1')) ?? '';
  return Number(/^NSpid:.*\t(\d+)$/m.exec(status)?.[1]);
}

/** What ended meanwhile is not there any more. */
function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
