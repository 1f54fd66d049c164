/**
 * Whether an earlier record still holds: the same bytes, the same policy, within the time its machine's rule gives. Only reading all bytes
 * again proves that they are the same; size, times and inode do it only where the policy says so.
 */
import { statSync } from 'node:fs';
import { digestFiles, type FileToDigest, filesToDigest, openImages } from '../images/index.js';
import { digestOf, type Ledger } from '../ledger/index.js';
import type { RestorePoint, VerificationRecord } from '../types.js';
import { recordsOf, stands } from './history.js';
import { type MachineRule, reaches } from './policy/types.js';

export interface ValidityContext {
  ledger: Ledger;
  trustStamps: boolean;
  now: Date;
  signal: AbortSignal;
}

/** The record that makes a new verification needless; null: verify. */
export async function stillValid(restorePoint: RestorePoint, rule: MachineRule, context: ValidityContext): Promise<VerificationRecord | null> {
  const record = candidateRecord(restorePoint, rule, context);
  if (!record) return null;
  const images = await openImages(restorePoint, rule.policy.allowedFolders);
  const files = filesToDigest(restorePoint, images);
  const same = context.trustStamps ? olderThan(files, record) : await sameBytes(files, record, context.signal);
  return same ? record : null;
}

/** The newest word on this restore point decides: after a failure nothing earlier holds. */
function candidateRecord(restorePoint: RestorePoint, rule: MachineRule, { ledger, now }: ValidityContext): VerificationRecord | null {
  if (rule.everySeconds === null) return null;
  const policy = digestOf(rule.policy);
  for (const { document } of recordsOf(ledger, restorePoint.machine)) {
    const ageSeconds = (now.getTime() - Date.parse(document.finishedAt)) / 1000;
    if (ageSeconds > rule.everySeconds) return null;
    if (document.restorePoint.id !== restorePoint.id) continue;
    if (document.verdict === 'failed') return null;
    const fits = document.verdict === 'passed' && document.policy.sha256 === policy && reaches(document.policy.depth, rule.policy.depth);
    if (fits && ageSeconds >= 0 && stands(ledger, document)) return document;
  }
  return null;
}

async function sameBytes(files: FileToDigest[], record: VerificationRecord, signal: AbortSignal): Promise<boolean> {
  const { digests, findings } = await digestFiles(files, { signal, progress: () => undefined });
  const words = (all: { path: string; sha256: string }[]): string => JSON.stringify(all.map(({ path, sha256 }) => [path, sha256]).sort());
  return findings.length === 0 && words(digests) === words(record.restorePoint.files);
}

/** The same files, and nothing was written, renamed or replaced since the verification began: ctime counts all of these, and no program can set it back. */
function olderThan(files: FileToDigest[], { startedAt, restorePoint }: VerificationRecord): boolean {
  const proven = new Map(restorePoint.files.map(({ path, sizeBytes }) => [path, sizeBytes]));
  if (proven.size !== files.length) return false;
  const begun = Date.parse(startedAt);
  return files.every(({ path }) => {
    const info = statSync(path, { throwIfNoEntry: false });
    return info !== undefined && info.size === proven.get(path) && info.ctimeMs < begun && info.mtimeMs < begun;
  });
}
