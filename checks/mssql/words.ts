/** Sentences and decisions that both checks of the family share. */
import type { InstanceState, Judgement, UntestedItem } from '../../src/types.js';
import { KNOWN_VERSIONS } from './format/file-page.js';
import { isKnown, type StaticEvidence } from './static-pass.js';

export { count } from '../../src/words.js';

export const DAMAGE_ADVICE =
  'Take this database from an earlier restore point that passed. Run DBCC CHECKDB on the live server: if it finds the same, its storage damages pages.';
export const SKEW_ADVICE =
  'Do not rely on this restore point for this database. Take the snapshot of all disks of this machine at the same instant, and verify the one before.';

export function nameOf({ path, boot }: StaticEvidence): string {
  // Attached files are named by their whole path: that is no better than the path in the guest.
  return boot?.name && boot.name.length <= 40 ? `SQL Server database ${boot.name} (${path})` : `SQL Server database ${path}`;
}

/** What is said without looking further: of tempdb, of versions and files that are not known. Null: it can be judged. */
export function exemption(evidence: StaticEvidence): Judgement | null {
  const what = nameOf(evidence);
  if (evidence.boot?.name === 'tempdb') {
    const summary = `${evidence.path} is tempdb: the server makes it anew at every start, so its content does not matter.`;
    return { outcome: 'pass', summary, findings: [], instanceState: 'clean', tested: [{ what, how: 'read its boot page' }], untested: [] };
  }
  if (isKnown(evidence)) return null;
  const why = evidence.boot
    ? `its format is of version ${evidence.boot.version}; known are ${KNOWN_VERSIONS.from} to ${KNOWN_VERSIONS.to}`
    : evidence.logFiles.length > 0
      ? 'it is the log of a database whose data files are not in the restore point'
      : 'its name is that of a SQL Server database, but neither its header nor its pages are';
  const untested = [{ what, why, holdsData: true }];
  return { outcome: 'pass', summary: `Not judged: ${why}.`, findings: [], instanceState: 'unknown', tested: [], untested };
}

/** What it is when nothing wrong was found. */
export function soundState({ cleanlyShutDown, log }: StaticEvidence): InstanceState {
  if (cleanlyShutDown) return 'clean';
  return log?.checkpoint === 'found' ? 'recoverable' : 'unknown';
}

/** Files of the database that nothing could be read of. */
export function unreadFiles(evidence: StaticEvidence): UntestedItem[] {
  const files = evidence.unreadable.map((path) => ({ what: `file ${path}`, why: 'it could not be read', holdsData: true }));
  const unjudged = evidence.dataFiles.filter(({ allocation }) => allocation === null);
  return [
    ...files,
    ...unjudged.map(({ path }) => ({ what: `file ${path}`, why: 'its number is not known, or the database is larger than 8 TiB', holdsData: true })),
  ];
}
