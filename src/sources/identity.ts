/** The id of a restore point: the same for the same files at the same place, so that history finds it again. */
import { createHash } from 'node:crypto';

/** @param member tells restore points in one folder apart: the image's or manifest's name, null for the folder's only one. */
export function restorePointId(folder: string, takenAt: string | null, member: string | null): string {
  return createHash('sha256')
    .update(JSON.stringify([folder, takenAt, member]))
    .digest('hex')
    .slice(0, 16);
}
