/** Looks at folders for restore points, bounded, and says by which sources a policy finds them again. */
import { type Dirent, readdirSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { SnapproofError, UsageError } from '../../errors.js';
import { formatNamed } from '../../images/index.js';
import { domainFiles } from '../../sources/domain-files.js';
import { lookAt } from '../../sources/host-paths.js';
import { loadRestorePoints, MANIFEST_NAME } from '../../sources/index.js';
import { INSTANT_PATTERN, parseInstant } from '../sources/instant.js';
import { dumpOf } from '../sources/proxmox.js';

/** A source of a policy, and why it is the right one. */
export interface FoundSource {
  kind: 'folders' | 'libvirt' | 'proxmox' | 'paths';
  /** Template, folder or path. */
  value: string;
  why: string;
}

const MAX_DEPTH = 3;
/** Folders that are looked into; names follow a pattern long before that. */
const MAX_FOLDERS = 400;
const MAX_TEMPLATES = 5;

/** @throws UsageError when a folder is not there, or nothing in it is a restore point. */
export async function lookForSources(folder: string): Promise<FoundSource[]> {
  const { path, kind } = await lookAt(folder);
  if (kind !== 'folder') return [{ kind: 'paths', value: path, why: 'one restore point' }];
  const names = entriesOf(path).map(({ name }) => name);
  if (names.some((name) => dumpOf(name))) return [{ kind: 'proxmox', value: path, why: 'names as vzdump of Proxmox VE gives them' }];
  const found = new Found();
  await walk(path, [], found);
  if (found.domains > 0 && found.domains >= found.points.length) return [{ kind: 'libvirt', value: path, why: 'folders with the XML of libvirt domains' }];
  const sources = templatesOf(path, found.points);
  if (sources.length > 0) return sources;
  throw new UsageError({
    code: 'init.nothing',
    message: `no restore point was found in ${path} (looked into ${found.looked} folders, ${MAX_DEPTH} deep)`,
    advice: 'Name the folder in which the folders of your machines lie, or write the policy by hand: see the manual page.',
  });
}

class Found {
  /** Names from the folder to a restore point. */
  readonly points: string[][] = [];
  domains = 0;
  looked = 0;
}

async function walk(folder: string, parts: string[], found: Found): Promise<void> {
  if (found.looked >= MAX_FOLDERS) return;
  found.looked++;
  const entries = entriesOf(folder);
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  if ((await domainFiles(folder, files)).length > 0) found.domains++;
  const images = files.filter((name) => formatNamed(extname(name).slice(1)));
  if (!files.includes(MANIFEST_NAME) && images.length > 0 && images.every((name) => instantIn(name))) {
    found.points.push(...images.map((name) => [...parts, name]));
    return;
  }
  if (files.length > 0 && (await isRestorePoint(folder))) {
    found.points.push(parts);
    return;
  }
  if (parts.length >= MAX_DEPTH) return;
  for (const { name } of entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))) await walk(join(folder, name), [...parts, name], found);
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}

async function isRestorePoint(folder: string): Promise<boolean> {
  try {
    return (await loadRestorePoints([folder])).length === 1;
  } catch (error) {
    if (error instanceof SnapproofError) return false;
    throw error;
  }
}

/** The patterns that the most of them follow. */
function templatesOf(folder: string, points: string[][]): FoundSource[] {
  if (points.some((parts) => parts.length === 0)) return [{ kind: 'paths', value: folder, why: 'the folder itself is one restore point' }];
  const counts = new Map<string, number>();
  for (const parts of points) counts.set(generalise(parts), (counts.get(generalise(parts)) ?? 0) + 1);
  const sorted = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, MAX_TEMPLATES);
  return sorted.map(([template, count]) => ({
    kind: 'folders',
    value: join(folder, template),
    why: `${count} restore points seen, such as ${exampleOf(points, template)}`,
  }));
}

function exampleOf(points: string[][], template: string): string {
  return points.find((parts) => generalise(parts) === template)?.join('/') ?? '';
}

const WITH_INSTANT = new RegExp(`^(.*?)(${INSTANT_PATTERN})(?!\\d)(.*)$`);

function instantIn(name: string): boolean {
  const match = WITH_INSTANT.exec(name);
  return match !== null && parseInstant(match[2] ?? '') !== null;
}

/** Names from a folder to a restore point, as a template: `web/2026-11-20` to `{machine}/{takenAt}`. Pure. */
export function generalise(parts: string[]): string {
  const last = lastPart(parts.at(-1) ?? '', parts.length === 1);
  const named = last.includes('{machine}');
  const before = parts.slice(0, -1).map((_part, index, all) => (!named && index === all.length - 1 ? '{machine}' : '*'));
  return [...before, last].join('/');
}

function lastPart(name: string, alone: boolean): string {
  const match = WITH_INSTANT.exec(name);
  if (match && instantIn(name)) {
    const [, prefix = '', , suffix = ''] = match;
    const separator = /[-_.@ ]+$/.exec(prefix)?.[0] ?? '';
    const machine = alone && prefix.length > separator.length ? '{machine}' : prefix.slice(0, prefix.length - separator.length).replace(/[{}*]/g, '*');
    return `${machine}${separator}{takenAt}${suffix.replace(/[{}*]/g, '*')}`;
  }
  return alone
    ? `{machine}${formatNamed(extname(name).slice(1)) ? extname(name) : ''}`
    : formatNamed(extname(name).slice(1))
      ? `*${extname(basename(name))}`
      : '*';
}
