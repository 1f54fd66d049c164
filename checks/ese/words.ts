/** Sentences and decisions that the checks of the family share. */
import type { InstanceState, Judgement, UntestedItem } from '../../src/types.js';
import { FILE_TYPES, KNOWN_VERSION } from './format/header.js';
import type { StaticEvidence } from './static-pass.js';

export const DAMAGE_ADVICE =
  'Take this database, with its log files, from an earlier restore point that passed. Run "esentutl /k" on the live database: if it finds the same, its storage damages pages.';
export const LOG_ADVICE =
  'Take the database and all its log files from one earlier restore point that passed. A database in this state does not open without them; "esentutl /p" would throw data away.';

export const CLEAN = 3;
export const DIRTY = 2;
export const DIRTY_PATCHED = 7;

export function nameOf({ path }: StaticEvidence): string {
  return `ESE database ${path}`;
}

/** What is said without looking further; null: it can be judged, or its header says that it is damaged. */
export function exemption(evidence: StaticEvidence): Judgement | null {
  const { header, path } = evidence;
  const what = nameOf(evidence);
  if (!header) return null;
  if (header.fileType === FILE_TYPES.temporary) {
    const summary = `${path} is a temporary database: its program makes it anew at every start, so its content does not matter.`;
    return { outcome: 'pass', summary, findings: [], instanceState: 'clean', tested: [{ what, how: 'read its header' }], untested: [] };
  }
  const why = unknownKind(header.version, header.fileType);
  if (why === null) return null;
  return { outcome: 'pass', summary: `Not judged: ${why}.`, findings: [], instanceState: 'unknown', tested: [], untested: [{ what, why, holdsData: true }] };
}

function unknownKind(version: number, fileType: number): string | null {
  if (version !== KNOWN_VERSION) return `its format is of version 0x${version.toString(16)}; known is 0x${KNOWN_VERSION.toString(16)}`;
  return fileType > FILE_TYPES.database ? `it is a file of ESE of type ${fileType}, not a database` : null;
}

/** What it is when nothing wrong was found in it. */
export function soundState({ header }: StaticEvidence): InstanceState {
  if (header?.state === CLEAN) return 'clean';
  return header?.state === DIRTY || header?.state === DIRTY_PATCHED ? 'recoverable' : 'unknown';
}

export function unreadFiles({ unreadable }: StaticEvidence): UntestedItem[] {
  return unreadable.map((path) => ({ what: `file ${path}`, why: 'it could not be read', holdsData: true }));
}
