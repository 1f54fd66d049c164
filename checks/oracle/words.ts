/** Sentences and decisions that both checks of the family share. */
import type { InstanceState, UntestedItem } from '../../src/types.js';
import { isKnownVersion } from './format/file.js';
import { judgedFiles, type StaticEvidence } from './static-pass.js';

export const DAMAGE_ADVICE =
  'Take this database from an earlier restore point that passed, or its blocks from an RMAN backup (RECOVER ... BLOCK). Run "VALIDATE DATABASE" on the live one: if it finds the same, its storage damages blocks.';
export const SKEW_ADVICE =
  'Do not rely on this restore point for this database. Capture data files, control files and redo logs at the same instant, and verify the restore point before.';

export function nameOf({ name, path }: StaticEvidence): string {
  return name ? `Oracle database ${name} (${path})` : `Oracle database ${path}`;
}

/** What nothing can be said of. */
export function unjudged({ unknown, unreadable, dataFiles }: StaticEvidence): UntestedItem[] {
  const other = dataFiles.filter(({ temporary, compatible }) => !temporary && !isKnownVersion(compatible));
  return [
    ...unreadable.map((path) => ({ what: `file ${path}`, why: 'it could not be read', holdsData: true })),
    ...unknown.map((path) => ({ what: `file ${path}`, why: 'it is of a kind, or of a byte order, that is not known', holdsData: true })),
    ...other.map(({ path, compatible }) => ({ what: `file ${path}`, why: `its version ${compatible.toString(16)} is not known`, holdsData: true })),
  ];
}

export function isOpen(evidence: StaticEvidence): boolean {
  return judgedFiles(evidence).some(({ fuzzy, hotBackup }) => fuzzy || hotBackup);
}

/** What it is when nothing wrong was found. */
export function soundState(evidence: StaticEvidence): InstanceState {
  if (judgedFiles(evidence).length === 0) return 'unknown';
  return isOpen(evidence) ? 'recoverable' : 'clean';
}
