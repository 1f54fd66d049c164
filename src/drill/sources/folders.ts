/** Folders (or images) that fit a template. */
import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { UsageError } from '../../errors.js';
import { type Candidate, type Listing, MAX_CANDIDATES } from './candidate.js';
import { manifestFacts } from './manifest-facts.js';
import { matchPart, type NameFacts, parseTemplate, type TemplatePart } from './template.js';

const MAX_NAMES = 1_000_000;

interface Walk {
  template: string;
  candidates: Candidate[];
  names: number;
  misfits: string[];
  misfitCount: number;
}

/** @throws UsageError when the place before the first open name is not there: an unmounted disk must not read as a quiet night. */
export async function listFolders(template: string): Promise<Listing> {
  const parts = parseTemplate(template);
  const walk: Walk = { template, candidates: [], names: 0, misfits: [], misfitCount: 0 };
  const fixed = parts.findIndex(({ names }) => names !== null);
  const root = `/${(fixed < 0 ? parts.slice(0, -1) : parts.slice(0, fixed)).map(({ text }) => text).join('/')}`;
  const info = await stat(root).catch(() => null);
  if (!info?.isDirectory()) throw missing(root, template);
  await descend(root, fixed < 0 ? parts.slice(-1) : parts.slice(fixed), {}, walk);
  return { candidates: walk.candidates, notes: notesOf(walk) };
}

async function descend(folder: string, parts: TemplatePart[], facts: NameFacts, walk: Walk): Promise<void> {
  const [part, ...rest] = parts;
  if (!part) return;
  for (const name of await namesIn(folder, part, walk)) {
    if (++walk.names > MAX_NAMES || walk.candidates.length >= MAX_CANDIDATES) throw tooMany(walk.template);
    const found = matchPart(part, name);
    const path = join(folder, name);
    const info = found && (await stat(path).catch(() => null));
    if (!found) misfit(walk, path);
    else if (!info) continue;
    else if (rest.length > 0) {
      if (info.isDirectory()) await descend(path, rest, { ...facts, ...found }, walk);
    } else if (info.isDirectory() || info.isFile()) walk.candidates.push(await candidateAt(path, info, { ...facts, ...found }));
  }
}

/** What a folder or image at a path is, as far as its name and its manifest say. What the template says counts more. */
export async function candidateAt(path: string, info: Stats, said: NameFacts): Promise<Candidate> {
  const facts = { ...(await manifestFacts(path, info)), ...said };
  return {
    machine: facts.machine ?? machineByName(path, info, said),
    takenAt: facts.takenAt ?? null,
    orderMs: facts.takenAt ? Date.parse(facts.takenAt) : info.mtimeMs,
    path,
    unreadable: null,
  };
}

/** Where the name of a folder is a time, the folder around it has the machine's name. */
function machineByName(path: string, info: Stats, { takenAt }: NameFacts): string {
  const name = basename(path);
  if (takenAt !== undefined) return basename(dirname(path));
  return info.isDirectory() ? name : basename(name, extname(name));
}

async function namesIn(folder: string, part: TemplatePart, walk: Walk): Promise<string[]> {
  if (!part.names) return [part.text];
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    misfit(walk, `${folder} (${error.code ?? error.message})`);
    return [];
  });
  return names.sort();
}

function misfit(walk: Walk, what: string): void {
  walk.misfitCount++;
  if (walk.misfits.length < 3) walk.misfits.push(what);
}

function notesOf({ template, misfitCount, misfits, candidates }: Walk): string[] {
  const notes = candidates.length === 0 ? [`Nothing fits ${template}.`] : [];
  if (misfitCount === 0) return notes;
  const more = misfitCount > misfits.length ? ` and ${misfitCount - misfits.length} more` : '';
  return [...notes, `Left out because the name does not fit ${template}: ${misfits.join(', ')}${more}.`];
}

function missing(root: string, template: string): UsageError {
  const message = `there is no folder ${root}, where ${template} begins`;
  return new UsageError({ code: 'drill-source.missing', message, advice: 'If it is on another disk or server, mount it.' });
}

function tooMany(template: string): UsageError {
  const message = `${template} fits more than ${MAX_CANDIDATES} restore points, or ${MAX_NAMES} names`;
  return new UsageError({ code: 'drill-source.many', message, advice: 'Write a template that fits less, or several drills.' });
}
