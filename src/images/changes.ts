/** Whether files stayed what they were: bytes that changed under our eyes were not the bytes that were tested. */
import type { Finding } from '../types.js';
import { type FileStamp, ImageFile } from './image-file.js';

/** By path, as the files were at one moment; null for one that cannot be opened. */
export type Stamps = Map<string, FileStamp | null>;

export async function stampFiles(paths: string[]): Promise<Stamps> {
  return new Map(await Promise.all([...new Set(paths)].map(async (path) => [path, await currentStamp(path)] as const)));
}

/** `image.changed-while-read` for every file that is not what it was then. */
export async function changesSince(before: Stamps): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [path, stamp] of before) {
    const how = stamp && differenceOf(stamp, stamp, await currentStamp(path));
    if (how) findings.push(changed(path, how));
  }
  return findings;
}

/** What the name stands for now; null when it cannot be opened. */
export async function currentStamp(path: string): Promise<FileStamp | null> {
  const file = await ImageFile.open(path).catch(() => null);
  try {
    return file && (await file.stamp());
  } finally {
    await file?.close();
  }
}

/** What happened to the file since `before`; null when nothing did. `after` is the same open file later, `byName` what its name stands for. */
export function differenceOf(before: FileStamp, after: FileStamp, byName: FileStamp | null): string | null {
  if (!byName || byName.inode !== before.inode || byName.device !== before.device) return 'another file took its place';
  if (after.sizeBytes !== before.sizeBytes || byName.sizeBytes !== before.sizeBytes) return 'its length changed';
  return after.modifiedNs !== before.modifiedNs || byName.modifiedNs !== before.modifiedNs ? 'it was written' : null;
}

export function changed(path: string, how: string): Finding {
  const message = `${path} changed while it was read (${how}): something still writes to it, so no statement about it would hold. Verify it when the backup is finished.`;
  return { code: 'image.changed-while-read', severity: 'critical', message, where: { file: path } };
}
