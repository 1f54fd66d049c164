/** What data files and redo logs of one Oracle database say of each other. What is not surely known is told as untested. */
import type { Problems } from '../../../src/bytes/problems.js';
import type { UntestedItem } from '../../../src/types.js';
import { NO_SCN } from '../format/file.js';
import { type DataFile, firstNeeded, judgedFiles, type RedoFile, type StaticEvidence } from '../static-pass.js';

/** Told one by one up to here. */
const MAX_TOLD = 20;

/** Closed files whose checkpoints differ: read-only, or restored from somewhere. Only the control file knows. */
export function noteClosed(evidence: StaticEvidence): UntestedItem[] {
  const checkpoints = new Set(judgedFiles(evidence).map(({ checkpoint }) => checkpoint));
  if (checkpoints.size <= 1 && !checkpoints.has(null)) return [];
  const why = 'its files are closed at different checkpoints: read-only ones, or of different instants; the control file is not read';
  return [{ what: `Oracle data files of ${evidence.path}`, why, holdsData: true }];
}

/** @returns what could not be judged. */
export function noteRedo(problems: Problems, evidence: StaticEvidence): UntestedItem[] {
  const first = firstNeeded(evidence);
  const sound = evidence.redo.filter(({ sumFits }) => sumFits);
  const what = `redo of ${evidence.path}`;
  if (first === null) return [];
  if (sound.length === 0) return [{ what, why: 'the database was open, and no redo log of it was found in the restore point', holdsData: true }];
  if (new Set(sound.map(({ thread }) => thread)).size > 1) {
    return [{ what, why: 'it has several threads (RAC), which are not followed', holdsData: true }];
  }
  const members = bySequence(sound);
  const last = Math.max(...members.keys());
  noteSequences(problems, evidence, members, first, last);
  noteNewer(problems, evidence, last);
  return [...noteIncarnations(evidence), ...noteContent(problems, members, first, last)];
}

/** Members of a group hold the same: the one with most of it counts. */
function bySequence(redo: RedoFile[]): Map<number, RedoFile> {
  const best = new Map<number, RedoFile>();
  for (const log of redo) if ((log.content?.valid ?? -1) >= (best.get(log.sequence)?.content?.valid ?? -1)) best.set(log.sequence, log);
  return best;
}

function noteSequences(problems: Problems, { path }: StaticEvidence, members: Map<number, RedoFile>, first: number, last: number): void {
  let told = 0;
  for (let sequence = first; sequence <= last && told < MAX_TOLD; sequence++) {
    if (members.has(sequence)) continue;
    told++;
    const message = `Recovery of ${path} begins with redo log sequence ${first}; sequence ${sequence} is not there, and ${last} is.`;
    problems.damaged('oracle.redo.missing', message, { file: path, sequence, from: first, to: last });
  }
}

/** R1: what is in a data file was in the redo before. */
function noteNewer(problems: Problems, evidence: StaticEvidence, last: number): void {
  const mixed = (code: string, message: string, where: Record<string, string | number>) =>
    problems.add({ code, severity: 'critical', state: 'non-atomic', message, where });
  for (const file of judgedFiles(evidence).filter((candidate) => candidate.fuzzy && candidate.sequence > last)) {
    const message = `${file.path} has its checkpoint in redo log sequence ${file.sequence}; the redo logs end with ${last}.`;
    mixed('oracle.redo.older', message, { file: file.path, sequence: file.sequence, last });
  }
  for (const { file, block } of evidence.blocks?.tallies.newer.examples ?? []) {
    const message = `Block ${block} of ${file} was changed at or after SCN ${evidence.redoEnd}, where the redo ends: a later redo log is missing.`;
    mixed('oracle.block.newer', message, { file, block, redoEnd: evidence.redoEnd ?? '' });
  }
}

function noteIncarnations(evidence: StaticEvidence): UntestedItem[] {
  const open: DataFile[] = judgedFiles(evidence).filter(({ fuzzy }) => fuzzy);
  if (new Set(open.map(({ resetlogs }) => resetlogs)).size <= 1) return [];
  return [{ what: `Oracle data files of ${evidence.path}`, why: 'they are of different incarnations (RESETLOGS)', holdsData: true }];
}

function noteContent(problems: Problems, members: Map<number, RedoFile>, first: number, last: number): UntestedItem[] {
  const items: UntestedItem[] = [];
  const ask = ({ path }: RedoFile, why: string) => items.push({ what: `redo log ${path}`, why, holdsData: true });
  for (const log of [...members.values()].filter(({ sequence }) => sequence >= first)) {
    const { content } = log;
    if (!content) ask(log, 'its version is not known');
    else if (content.sumless > content.valid) ask(log, 'its blocks carry no checksum, or another one than is known');
    else if (content.damaged !== null) {
      const message = `Block ${content.damaged} of redo log ${log.path}, which recovery needs, does not fit its checksum.`;
      problems.damaged('oracle.redo.block', message, { file: log.path, block: content.damaged, sequence: log.sequence });
    } else if (content.hole !== null && log.sequence < last) {
      const message = `Redo log ${log.path}, which recovery needs, has a hole at block ${content.hole}.`;
      problems.damaged('oracle.redo.hole', message, { file: log.path, block: content.hole, sequence: log.sequence });
    } else if (content.hole !== null) ask(log, `it has a hole at block ${content.hole}, where it was being written`);
    else if (content.torn !== null) ask(log, `its last write, at block ${content.torn}, is torn: whether recovery stops there is not known`);
    else if (log.sequence === last && log.next !== NO_SCN && log.next !== '0') ask(log, 'it is finished, and the one that followed it is not there');
  }
  return items;
}
