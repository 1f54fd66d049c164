/** Finds records in the ledger and gathers what the rest of it says of them. The one place where the gate asks the ledger. */
import type { Ledger, Stored } from '../ledger/index.js';
import type { FileDigest, VerificationRecord } from '../types.js';
import type { Candidate } from './assess.js';

/** Older records of the same bytes than so many decide nothing any more. */
const MOST = 200;

/** Why a signature proves nothing; null: it does. */
export type SignatureJudge = (stored: Stored<VerificationRecord>) => Promise<string | null>;

/** Disks and memory in their order, which says which file is backed by which; configuration in any order. */
export function sameFiles(a: FileDigest[], b: FileDigest[]): boolean {
  const configs = (files: FileDigest[]): string[] => digests(files, ({ role }) => role === 'config').sort();
  return sameData(a, b) && configs(a).join() === configs(b).join();
}

export function sameData(a: FileDigest[], b: FileDigest[]): boolean {
  return dataKey(a) === dataKey(b);
}

/** The same for records of the same disks and memory. */
export function dataKey(files: FileDigest[]): string {
  const of = (wanted: FileDigest['role']): string => digests(files, ({ role }) => role === wanted).join();
  return `${of('disk')}|${of('memory')}`;
}

function digests(files: FileDigest[], belongs: (file: FileDigest) => boolean): string[] {
  return files.filter(belongs).map(({ sha256 }) => sha256);
}

/** Records of restore points with all of these bytes among theirs, the last appended first. */
export function recordsOf(ledger: Ledger, sha256: string[]): Stored<VerificationRecord>[] {
  return ledger.recordsOfDigest(sha256, MOST).filter(({ document }) => isUsable(document));
}

/** The newest records of a machine, the last appended first. */
export function recordsOfMachine(ledger: Ledger, machine: string, most = MOST): Stored<VerificationRecord>[] {
  return ledger.records({ machine, limit: most }).filter(({ document }) => isUsable(document));
}

export async function toCandidate(ledger: Ledger, stored: Stored<VerificationRecord>, signature: SignatureJudge): Promise<Candidate> {
  const { document, entry } = stored;
  return {
    stored,
    broken: ledger.checkEntry(entry.seq),
    drillVerdict: drillVerdict(ledger, document),
    rejected: rejection(ledger, document),
    unsigned: await signature(stored),
  };
}

/** Of the drill that a record belongs to; null: none, or it is not finished. */
export function drillVerdict(ledger: Ledger, { drill }: VerificationRecord): Candidate['drillVerdict'] {
  const document = drill ? ledger.find(drill.id)?.document : undefined;
  return document?.schema === 'snapproof.drill/v1' ? document.verdict : null;
}

/** The last word about the record itself, and about its drill. */
export function rejection(ledger: Ledger, { id, drill }: VerificationRecord): string | null {
  for (const about of drill ? [id, drill.id] : [id]) {
    const last = ledger.documents({ kind: 'sign-off', about, limit: 1 })[0]?.document;
    if (last?.decision === 'rejected') return `${last.reviewer} on ${last.at}${last.note ? `: ${last.note}` : ''}`;
  }
  return null;
}

/** What a ledger holds was written by us, and is still not trusted to have the fields that the gate relies on. */
export function isUsable(document: VerificationRecord): boolean {
  return Array.isArray(document.restorePoint?.files) && Array.isArray(document.checks) && typeof document.consistency?.observed === 'string';
}
