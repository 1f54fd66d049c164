/** All restore points that the sources of a policy name, each once. Only names and manifests are read. */
import { realpath } from 'node:fs/promises';
import { SnapproofError } from '../../errors.js';
import type { DrillSource } from '../policy/types.js';
import type { Candidate, Listing } from './candidate.js';
import { listCommand } from './command.js';
import { listFolders } from './folders.js';
import { listLibvirt } from './libvirt.js';
import { candidateOfPath } from './path.js';
import { listProxmox } from './proxmox.js';

export type { Candidate, Listing } from './candidate.js';

/** `problems`: sources that could not be listed, in sentences. What the others name is verified all the same. */
export interface Population extends Listing {
  problems: string[];
}

/** @param queue lists what was enqueued. */
export async function listSources(sources: DrillSource[], queue: () => Promise<Listing>, signal: AbortSignal): Promise<Population> {
  const byPath = new Map<string, Candidate>();
  const notes: string[] = [];
  const problems: string[] = [];
  for (const source of [...sources.filter(({ kind }) => kind !== 'queue'), ...sources.filter(({ kind }) => kind === 'queue')]) {
    const listing = await attempt(() => list(source, queue, signal), signal);
    if (typeof listing === 'string') {
      problems.push(listing);
      continue;
    }
    notes.push(...listing.notes);
    for (const candidate of listing.candidates) {
      const path = await realpath(candidate.path).catch(() => candidate.path);
      const known = byPath.get(path);
      // What another source calls it counts more than its path alone; that it waits is kept.
      if (!known) byPath.set(path, { ...candidate, path });
      else if (candidate.queued !== undefined) byPath.set(path, { ...known, queued: candidate.queued });
    }
  }
  return { candidates: [...byPath.values()], notes, problems };
}

async function attempt(work: () => Promise<Listing>, signal: AbortSignal): Promise<Listing | string> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted || !(error instanceof SnapproofError)) throw error;
    return `A source could not be listed: ${[`${error.message}.`, error.advice].filter(Boolean).join(' ')}`;
  }
}

function list(source: DrillSource, queue: () => Promise<Listing>, signal: AbortSignal): Promise<Listing> {
  switch (source.kind) {
    case 'folders':
      return listFolders(source.template);
    case 'libvirt':
      return listLibvirt(source.folder);
    case 'proxmox':
      return listProxmox(source.folder);
    case 'paths':
      return listPaths(source.paths);
    case 'command':
      return listCommand(source, signal);
    case 'queue':
      return queue();
  }
}

async function listPaths(paths: string[]): Promise<Listing> {
  return { candidates: await Promise.all(paths.map((path) => candidateOfPath(path, {}))), notes: [] };
}
