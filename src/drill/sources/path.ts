/** A path that somebody named: what its name and place say where nobody says more. */
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Candidate, Listing } from './candidate.js';
import { candidateAt } from './folders.js';
import { parseInstant } from './instant.js';
import { dumpOf, toCandidate } from './proxmox.js';
import type { NameFacts } from './template.js';

/** What is not there is a candidate too: whoever named it expects it. */
export async function candidateOfPath(path: string, facts: NameFacts): Promise<Candidate> {
  const info = await stat(path).catch(() => null);
  const dump = dumpOf(basename(path));
  if (info && dump) return { ...toCandidate(dump, path, []), ...facts };
  // A folder with a time as its name lies in one with the machine's name.
  const takenAt = parseInstant(basename(path));
  const said = { ...(takenAt === null || facts.machine !== undefined ? {} : { takenAt }), ...facts };
  if (info) return candidateAt(path, info, said);
  const machine = facts.machine ?? (takenAt === null ? basename(path) : basename(dirname(path)));
  return { machine, takenAt: said.takenAt ?? null, orderMs: said.takenAt ? Date.parse(said.takenAt) : 0, path, unreadable: `There is nothing at ${path}.` };
}

/** What waits in the queue. Entries that another process has taken are its business. */
export async function listQueue(entries: { path: string; state: string }[], unreadable: { file: string; why: string }[]): Promise<Listing> {
  const waiting = entries.filter(({ state }) => state === 'waiting');
  const candidates = await Promise.all(waiting.map(async ({ path }) => ({ ...(await candidateOfPath(path, {})), queued: path })));
  return { candidates, notes: unreadable.map(({ file, why }) => `${file} is no entry of the queue: ${why}.`) };
}
