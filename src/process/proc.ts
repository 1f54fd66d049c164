/**
 * What /proc tells of processes: proc(5). A pid alone names no process, because pids are used again;
 * pid and start time together do.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process, told apart from a later one with the same pid. `startTicks` counts clock ticks since boot. */
export interface ProcessIdentity {
  pid: number;
  startTicks: number;
}

/** The identity of a living process; null when there is none (a zombie counts as none). */
export function identityOf(pid: number): ProcessIdentity | null {
  const fields = statFields(pid);
  if (!fields || fields.state === 'Z' || fields.state === 'X') return null;
  return { pid, startTicks: fields.startTicks };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identityOf(identity.pid)?.startTicks === identity.startTicks;
}

/** Living processes of a process group. */
export function groupMembers(group: number): ProcessIdentity[] {
  return livingPids().flatMap((pid) => {
    const fields = statFields(pid);
    return fields && fields.group === group && fields.state !== 'Z' ? [{ pid, startTicks: fields.startTicks }] : [];
  });
}

/** All processes below one, living now, nearest first. */
export function descendantsOf(ancestor: number): number[] {
  const children = new Map<number, number[]>();
  for (const pid of livingPids()) {
    const parent = statFields(pid)?.parent ?? 0;
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found = [...(children.get(ancestor) ?? [])];
  for (const pid of found) found.push(...(children.get(pid) ?? []));
  return found;
}

/** Living processes that were started with `variable=value` in their environment; only those this user may look at. */
export function processesWithEnvironment(variable: string, value: string): ProcessIdentity[] {
  const wanted = `${variable}=${value}`;
  return livingPids().flatMap((pid) => {
    const environment = readProc(pid, 'environ');
    const identity = environment?.split('\0').includes(wanted) ? identityOf(pid) : null;
    return identity ? [identity] : [];
  });
}

/** The command line's words; empty when the process is gone. */
export function commandLine(pid: number): string[] {
  return readProc(pid, 'cmdline')?.split('\0').filter(Boolean) ?? [];
}

/** Differs after every boot. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** Two processes whose pid namespaces differ cannot judge whether the other lives. */
export function pidNamespace(): string {
  return readlinkSync('/proc/self/ns/pid');
}

function livingPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** /proc/PID/stat: the name in parentheses may hold anything, so fields are counted from its last `)`. */
function statFields(pid: number): { state: string; parent: number; group: number; startTicks: number } | null {
  const stat = readProc(pid, 'stat');
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', parent: Number(fields[1]), group: Number(fields[2]), startTicks: Number(fields[19]) };
}

function readProc(pid: number, file: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return null;
  }
}
