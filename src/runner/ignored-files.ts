/** Files that lie in a restore point's folder and were not taken as disks: a disk in a disguise must not vanish from the record. */
import type { RestorePoint, UntestedItem } from '../types.js';

/** No disk with data is smaller; checksums, logs and descriptions mostly are. */
const LARGE_BYTES = 1024 * 1024;
const MAX_NAMED = 50;

interface IgnoredFile {
  name: string;
  sizeBytes: number;
}

/** The largest first; beyond fifty they are only counted. */
export function ignoredFiles({ source }: RestorePoint): UntestedItem[] {
  const files = (Array.isArray(source.ignored) ? source.ignored : []).filter(isIgnoredFile).sort((a, b) => b.sizeBytes - a.sizeBytes);
  const rest = files.slice(MAX_NAMED);
  const items = files
    .slice(0, MAX_NAMED)
    .map(({ name, sizeBytes }) => ({ what: `the file ${name} of the folder`, why: WHY, holdsData: sizeBytes > LARGE_BYTES }));
  if (rest.length === 0) return items;
  return [...items, { what: `${rest.length} more files of the folder`, why: WHY, holdsData: rest.some(({ sizeBytes }) => sizeBytes > LARGE_BYTES) }];
}

const WHY = 'it was not recognised as a disk image; if it is one, name it and its format in a restore-point.json';

function isIgnoredFile(value: unknown): value is IgnoredFile {
  const file = value as Partial<IgnoredFile> | null;
  return typeof file?.name === 'string' && typeof file.sizeBytes === 'number';
}
