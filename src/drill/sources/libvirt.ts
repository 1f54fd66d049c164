/** Folders with disks and the XML of a libvirt domain: the domain says which machine it is. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../errors.js';
import { parseDomain } from '../../hardware/domain.js';
import { domainFiles } from '../../sources/domain-files.js';
import { type Candidate, type Listing, MAX_CANDIDATES } from './candidate.js';
import { candidateAt } from './folders.js';
import { INSTANT_PATTERN, parseInstant } from './instant.js';

const MAX_XML_BYTES = 4 * 2 ** 20;
/** `machine/time/` is as deep as such folders lie. */
const MAX_DEPTH = 3;
const TIME_IN_NAME = new RegExp(INSTANT_PATTERN);

/** @throws UsageError when the folder is not there. */
export async function listLibvirt(folder: string): Promise<Listing> {
  if (!(await stat(folder).catch(() => null))?.isDirectory()) {
    throw new UsageError({ code: 'drill-source.missing', message: `there is no folder ${folder}`, advice: 'If it is on another disk or server, mount it.' });
  }
  const candidates: Candidate[] = [];
  await collect(folder, MAX_DEPTH, candidates);
  return { candidates, notes: candidates.length === 0 ? [`No folder below ${folder} holds the XML of a libvirt domain.`] : [] };
}

async function collect(folder: string, depth: number, found: Candidate[]): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const [xml] = await domainFiles(
    folder,
    entries.map(({ name }) => name),
  );
  if (xml !== undefined) {
    found.push(await candidateOf(folder, xml));
    return;
  }
  if (depth === 0) return;
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (found.length >= MAX_CANDIDATES) return;
    if (entry.isDirectory() && !entry.name.startsWith('.')) await collect(join(folder, entry.name), depth - 1, found);
  }
}

async function candidateOf(folder: string, xml: string): Promise<Candidate> {
  const plain = await candidateAt(folder, await stat(folder), {});
  const name = await domainName(xml);
  const takenAt = plain.takenAt ?? timeIn(folder);
  return { ...plain, ...(name === null ? {} : { machine: name }), takenAt, orderMs: takenAt ? Date.parse(takenAt) : plain.orderMs };
}

async function domainName(xml: string): Promise<string | null> {
  try {
    if ((await stat(xml)).size > MAX_XML_BYTES) return null;
    return parseDomain(await readFile(xml, 'utf8'))?.name ?? null;
  } catch {
    return null;
  }
}

/** The last folder name that holds a time says when. */
function timeIn(path: string): string | null {
  const [text] = TIME_IN_NAME.exec(path.split('/').at(-1) ?? '') ?? [];
  return text === undefined ? null : parseInstant(text);
}
