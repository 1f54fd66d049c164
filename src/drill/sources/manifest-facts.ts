/** What a manifest says of machine and time, without judging it: whoever loads the restore point says what is wrong with it. */
import type { Stats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST_NAME } from '../../sources/index.js';
import type { NameFacts } from './template.js';

const MAX_BYTES = 4 * 2 ** 20;

/** @param path a folder that may hold a manifest, or a manifest; an image says nothing. */
export async function manifestFacts(path: string, info: Stats): Promise<NameFacts> {
  if (!info.isDirectory() && !path.endsWith('.json')) return {};
  const file = info.isDirectory() ? join(path, MANIFEST_NAME) : path;
  try {
    if ((await stat(file)).size > MAX_BYTES) return {};
    return factsOf(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return {};
  }
}

export function factsOf(value: unknown): NameFacts {
  if (typeof value !== 'object' || value === null) return {};
  const { machine, takenAt } = value as Record<string, unknown>;
  const instant = typeof takenAt === 'string' ? new Date(takenAt) : null;
  return {
    ...(typeof machine === 'string' && machine !== '' ? { machine } : {}),
    ...(instant && !Number.isNaN(instant.getTime()) ? { takenAt: instant.toISOString() } : {}),
  };
}
