/** How a run folder is laid out: who owns it, and which processes it started. */
import { appendFileSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../errors.js';
import { bootId, identityOf, type ProcessIdentity, pidNamespace } from './proc.js';

/** Marks every process of a run, so that even one that left its process group is found. */
export const RUN_FOLDER_VARIABLE = 'SNAPPROOF_RUN_FOLDER';
const OWNER_FILE = 'owner.json';
const CHILDREN_FILE = 'children';
const STRAYS_FILE = 'strays';

/** A Unix socket's path may be 107 bytes long; sockets lie in the run folder under names of up to 40. */
const MAX_FOLDER_BYTES = 66;

/** The process that opened a run folder. */
export interface Owner extends ProcessIdentity {
  bootId: string;
  pidNamespace: string;
}

/**
 * The folder of this user that holds all run folders: on disk, because overlays may grow to gigabytes.
 * @throws UsageError when somebody else owns it, or its path is too long for sockets
 */
export function workFolderBase(): string {
  const base = join(process.env.TMPDIR || '/var/tmp', `snapproof-${process.getuid?.() ?? 0}`);
  if (Buffer.byteLength(base) + '/run-1234567-abcdef'.length > MAX_FOLDER_BYTES) {
    throw new UsageError({
      code: 'work-folder.long',
      message: `The folder for temporary files has too long a name for sockets: ${base}`,
      advice: 'Set TMPDIR to a shorter path.',
    });
  }
  try {
    mkdirSync(base, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new UsageError({
      code: 'work-folder.unwritable',
      message: `The folder for temporary files cannot be made: ${(cause as Error).message}`,
      advice: 'Set TMPDIR to a folder you may write, with some gigabytes of room.',
      cause,
    });
  }
  const info = lstatSync(base);
  if (info.isDirectory() && info.uid === process.getuid?.() && (info.mode & 0o077) === 0) return base;
  throw new UsageError({
    code: 'work-folder.owner',
    message: `${base} is not a private folder of this user: others could reach what a run writes there.`,
    advice: `Remove it, or set TMPDIR to another folder.`,
  });
}

export function writeOwner(folder: string): void {
  const owner = { ...identityOf(process.pid), bootId: bootId(), pidNamespace: pidNamespace() };
  writeFileSync(join(folder, OWNER_FILE), JSON.stringify(owner), { mode: 0o600 });
}

/** Null when the file is not there or not whole: its owner died, or is just being born. */
export function readOwner(folder: string): Owner | null {
  try {
    return JSON.parse(readFileSync(join(folder, OWNER_FILE), 'utf8'));
  } catch {
    return null;
  }
}

/** Appends a living child; one line is one write, so that lines of two writers never mix. */
export function writeChild(folder: string, pid: number): void {
  const child = identityOf(pid);
  if (child) appendFileSync(join(folder, CHILDREN_FILE), `${child.pid} ${child.startTicks}\n`, { mode: 0o600 });
}

/** Appends folders outside the run folder that belong to the run. */
export function writeStrays(folder: string, paths: string[]): void {
  for (const path of new Set(paths)) appendFileSync(join(folder, STRAYS_FILE), `${path}\n`, { mode: 0o600 });
}

/** What is written there decides what is removed, so only names that libguestfs gives count. */
export function readStrays(folder: string): string[] {
  return readLines(folder, STRAYS_FILE).filter((line) => /^\/tmp\/libguestfs[A-Za-z0-9]{6}$/.test(line));
}

/** Every child that was recorded, living or not. */
export function readChildren(folder: string): ProcessIdentity[] {
  const lines = readLines(folder, CHILDREN_FILE).map((line) => /^(\d+) (\d+)$/.exec(line));
  return lines.flatMap((match) => (match ? [{ pid: Number(match[1]), startTicks: Number(match[2]) }] : []));
}

function readLines(folder: string, name: string): string[] {
  try {
    return readFileSync(join(folder, name), 'utf8').split('\n');
  } catch {
    return [];
  }
}
