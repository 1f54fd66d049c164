/** Where a report goes that is no answer on the terminal: a file, or a folder in which it gets a name. */
import { statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { Dossier } from '../../reporters/dossier.js';
import { fileName, writeFiles } from '../../reporters/files.js';
import { EXTENSIONS, type Format } from '../../reporters/formats.js';

/** It is one, or its name says so. */
export function isFolder(path: string): boolean {
  if (path.endsWith('/')) return true;
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** @returns the path written. @throws UsageError when it cannot be written */
export async function writeReport(out: string, dossier: Dossier, format: Format, text: string): Promise<string> {
  const target = isFolder(out) ? join(resolve(out), `${nameOf(dossier)}.${EXTENSIONS[format]}`) : resolve(out);
  const [path = target] = await writeFiles(dirname(target), [{ name: basename(target), text }], '--out');
  return path;
}

function nameOf(dossier: Dossier): string {
  if (dossier.kind === 'drill') return fileName(`drill-${dossier.drill.name}`, dossier.drill.id);
  return fileName(dossier.record.restorePoint.machine, dossier.record.id);
}
