/** The folder of a restore point: said once, it need not fill every line. */
import { dirname } from 'node:path';
import type { VerificationRecord } from '../types.js';

/** The same record with the restore point's folder left out of every sentence; empty when its files have none in common. */
export function withoutFolder<R extends Pick<VerificationRecord, 'restorePoint'>>(record: R): { record: R; folder: string } {
  const folders = [...new Set(record.restorePoint.files.map(({ path }) => dirname(path)))];
  const folder = folders.length === 1 && folders[0]?.startsWith('/') ? folders[0] : '';
  if (folder.length < 2) return { record, folder: '' };
  const shorten = (_: string, value: unknown): unknown => (typeof value === 'string' ? value.replaceAll(`${folder}/`, '') : value);
  return { record: JSON.parse(JSON.stringify(record), shorten) as R, folder };
}
