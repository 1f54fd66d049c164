/** Takes a run folder away with all that belongs to it, and finds the folders of runs that were killed. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { endProcesses } from './end-processes.js';
import { mountsBelow, unmountBelow } from './mounts.js';
import { bootId, commandLine, groupMembers, identityOf, isAlive, type ProcessIdentity, pidNamespace, processesWithEnvironment } from './proc.js';
import { RUN_FOLDER_VARIABLE, readChildren, readOwner, readStrays, workFolderBase } from './run-folder.js';

/** A folder whose owner file is not there yet is given this long before it counts as abandoned. */
const BIRTH_MS = 60_000;

export interface CleanUp {
  complete: boolean;
  /** What could not be removed or ended, in words. */
  left: string[];
}

export interface Abandoned extends CleanUp {
  folder: string;
  endedProcesses: number;
}

/** Removes what killed runs of this user left behind. Call it at every start, before `openWorkFolder`. */
export async function removeAbandoned(): Promise<Abandoned[]> {
  const base = workFolderBase();
  const removed: Abandoned[] = [];
  for (const name of readdirSync(base).filter((entry) => entry.startsWith('run-'))) {
    const folder = join(base, name);
    if (!isAbandoned(folder, name)) continue;
    const endedProcesses = processesOf(folder).length;
    removed.push({ folder, endedProcesses, ...(await removeRunFolder(folder)) });
  }
  return removed;
}

/** Ends the processes of a run, unmounts, removes its folder and the temporary folders its processes named. */
export async function removeRunFolder(folder: string): Promise<CleanUp> {
  const strays = [...new Set([...readStrays(folder), ...strayFolders(folder)])];
  const living = await endProcesses(() => processesOf(folder));
  await unmountBelow(folder);
  const mounted = mountsBelow(folder);
  // Never remove through a mount: that would delete what lies behind it.
  for (const path of mounted.length > 0 ? strays : [folder, ...strays]) await rm(path, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
  const left = [
    ...living.map((identity) => `process ${identity.pid} (${commandLine(identity.pid)[0] ?? 'unknown'}) does not end`),
    ...mounted.map((point) => `${point} is still mounted`),
    ...[folder, ...strays].filter((path) => existsSync(path)).map((path) => `${path} could not be removed`),
  ];
  return { complete: left.length === 0, left };
}

/** Its owner died, or belongs to an earlier boot. One of another pid namespace (a container) cannot be judged, and is left alone. */
function isAbandoned(folder: string, name: string): boolean {
  const owner = readOwner(folder);
  if (owner) return owner.bootId !== bootId() || (owner.pidNamespace === pidNamespace() && !isAlive(owner));
  const pid = Number(/^run-(\d+)-/.exec(name)?.[1]);
  const age = Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  return age > BIRTH_MS || (pid !== process.pid && identityOf(pid) === null);
}

/** Recorded children that still are the same process, the rest of their groups, and everything that carries the run's mark. */
function processesOf(folder: string): ProcessIdentity[] {
  // After another boot the same pid and start time may be somebody else's.
  const children = readOwner(folder)?.bootId === bootId() ? readChildren(folder).filter(isAlive) : [];
  const members = children.flatMap((child) => groupMembers(child.pid));
  const marked = processesWithEnvironment(RUN_FOLDER_VARIABLE, folder);
  const byPid = new Map([...children, ...members, ...marked].map((identity) => [identity.pid, identity]));
  byPid.delete(process.pid);
  return [...byPid.values()];
}

/**
 * Folders outside the run folder that living processes of the run use: libguestfs keeps its sockets below /tmp whatever TMPDIR says
 * (for root), and leaves them there when it is killed. Its qemu names them.
 */
export function strayFolders(folder: string): string[] {
  const words = processesOf(folder).flatMap((identity) => commandLine(identity.pid));
  return words.flatMap((word) => word.match(/(?<=path=)\/tmp\/libguestfs[A-Za-z0-9]{6}(?=\/)/g) ?? []);
}
