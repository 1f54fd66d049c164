/**
 * Dump folders of Proxmox VE: `vzdump-qemu-VMID-YYYY_MM_DD-HH_MM_SS` (vzdump's documentation). Its archives (.vma) are named, not read;
 * a folder of that name with images in it (an extracted archive) is a restore point.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../errors.js';
import type { Candidate, Listing } from './candidate.js';
import { parseInstant } from './instant.js';

const DUMP = /^vzdump-qemu-(\d{1,9})-(\d{4}_\d{2}_\d{2}-\d{2}_\d{2}_\d{2})(\.vma(?:\.(?:zst|gz|lzo))?)?$/;

/** @throws UsageError when the folder is not there or cannot be read. */
export async function listProxmox(folder: string): Promise<Listing> {
  const names = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    throw new UsageError({ code: 'drill-source.missing', message: `the dump folder ${folder} cannot be read: ${cause.message}`, cause });
  });
  const dumps = names.sort().flatMap((name) => dumpOf(name) ?? []);
  const candidates: Candidate[] = [];
  for (const dump of dumps) {
    const path = join(folder, dump.name);
    const info = await stat(path).catch(() => null);
    if (info && info.isDirectory() === (dump.archive === null)) candidates.push(toCandidate(dump, path, dumps));
  }
  const kept = candidates.filter((candidate) => candidate.machine !== '');
  return { candidates: kept, notes: kept.length === 0 ? [`There is no vzdump-qemu-... in ${folder}.`] : [] };
}

interface Dump {
  name: string;
  vmId: string;
  takenAt: string;
  archive: string | null;
}

/** Null for other names: containers, logs, notes. */
export function dumpOf(name: string): Dump | null {
  const [, vmId, time, archive] = DUMP.exec(name) ?? [];
  const takenAt = time === undefined ? null : parseInstant(time);
  return vmId === undefined || takenAt === null ? null : { name, vmId, takenAt, archive: archive ?? null };
}

/** An archive that lies extracted beside itself needs no second mention: its machine is then empty. */
export function toCandidate({ name, vmId, takenAt, archive }: Dump, path: string, all: Dump[]): Candidate {
  const extracted = archive !== null && all.some((other) => other.archive === null && other.name === name.slice(0, -archive.length));
  const unreadable =
    archive === null
      ? null
      : `${path} is an archive of Proxmox VE (${archive.slice(1)}), which is not read. Extract it with "vma extract" into a folder ${name.slice(0, -archive.length)}/.`;
  return { machine: extracted ? '' : `vm-${vmId}`, takenAt, orderMs: Date.parse(takenAt), path, unreadable };
}
