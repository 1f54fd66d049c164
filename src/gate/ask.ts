/** The gate: whether a record in the ledger proves a restore point, and if not, exactly what is missing. */
import type { Ledger, Stored } from '../ledger/index.js';
import type { FileDigest, VerificationRecord } from '../types.js';
import { isControl, type Shortfall } from './assess.js';
import { dataKey, isUsable, recordsOf, recordsOfMachine, type SignatureJudge, sameData, sameFiles, toCandidate } from './candidates.js';
import { type Answer, type Decision, decide } from './decide.js';
import type { Requirements } from './requirements.js';
import type { FoundFile, Subject } from './subject.js';

/** Newest records of a machine that are looked at: its newest restore point is among them. */
const MOST_OF_MACHINE = 50;

export interface Question {
  ledger: Ledger;
  requirements: Requirements;
  /** Not asked when no signature is required. */
  signature: SignatureJudge;
  now: Date;
  /** Remembers the records of a machine, for who asks about many restore points of it; default: the newest are looked up each time. */
  ofMachine?: (machine: string) => Stored<VerificationRecord>[];
}

export async function ask(subject: Subject, question: Question): Promise<Decision> {
  switch (subject.kind) {
    case 'restore-point':
      return askBytes(subject.digests, subject.problems, subject.restorePoint.id, subject.restorePoint.machine, question);
    case 'trusted-restore-point':
      return askTrusted(subject.files, subject.problems, subject.restorePoint.id, subject.restorePoint.machine, question);
    case 'digest':
      return askDigest(subject.sha256, question);
    case 'machine':
      return askMachine(subject.machine, question);
  }
}

async function askBytes(digests: FileDigest[], problems: Shortfall[], id: string, machine: string, question: Question): Promise<Decision> {
  if (problems.length > 0) return missing(problems);
  const data = digests.filter(({ role }) => role !== 'config').map(({ sha256 }) => sha256);
  const about = recordsOf(question.ledger, data);
  const exact = about.filter(({ document }) => sameFiles(document.restorePoint.files, digests));
  return exact.length > 0 ? await judge(exact, question) : missing([whyNone(about, digests, id, machine, question)]);
}

/** The nearest thing that the ledger knows, so that nobody has to search for the difference. */
function whyNone(about: Stored<VerificationRecord>[], digests: FileDigest[], id: string, machine: string, { ledger }: Question): Shortfall {
  const sameDisks = about.find(({ document }) => sameData(document.restorePoint.files, digests));
  if (sameDisks)
    return {
      code: 'config-changed',
      message: `Record ${sameDisks.document.id} is about the same disks with another configuration beside them: ${differing(sameDisks.document, digests)}.`,
    };
  if (about[0])
    return {
      code: 'other-set',
      message: `Record ${about[0].document.id} is about these files together with others, or in another order: it does not prove them as they are here.`,
    };
  const earlier = recordsOfMachine(ledger, machine).find(({ document }) => document.restorePoint.id === id);
  if (earlier)
    return {
      code: 'bytes-changed',
      message: `The files are not those that were verified (record ${earlier.document.id}): ${differing(earlier.document, digests)}. They changed since, or were replaced.`,
    };
  return { code: 'no-record', message: 'The ledger holds no record about exactly these bytes. Verify them first: snapproof verify.' };
}

function differing({ restorePoint }: VerificationRecord, digests: FileDigest[]): string {
  const known = new Set(restorePoint.files.map(({ sha256 }) => sha256));
  const now = new Set(digests.map(({ sha256 }) => sha256));
  const changed = digests.filter(({ sha256 }) => !known.has(sha256)).map(({ path }) => path);
  const gone = restorePoint.files.filter(({ sha256 }) => !now.has(sha256)).map(({ path }) => path);
  const told = [...new Set([...changed, ...gone])];
  return told.length > 0 ? `${told.slice(0, 3).join(', ')}${told.length > 3 ? ' and others' : ''}` : 'they lie in another order';
}

/** By place, length and time of change instead of by content. */
async function askTrusted(files: FoundFile[], problems: Shortfall[], id: string, machine: string, question: Question): Promise<Decision> {
  if (problems.length > 0) return missing(problems);
  const here = (question.ofMachine?.(machine) ?? recordsOfMachine(question.ledger, machine)).filter(({ document }) => document.restorePoint.id === id);
  const [newest] = here;
  if (!newest) return missing([{ code: 'no-record', message: 'The ledger holds no record about this restore point at this place.' }]);
  const note = 'The files were not read: their names, lengths and times of change are as when they were verified.';
  if (!lookUnchanged(newest.document, files))
    return missing([
      {
        code: 'bytes-changed',
        message: `The files do not look as when they were verified (record ${newest.document.id}): a length, a name or a time of change differs.`,
      },
    ]);
  const decision = await judge(
    here.filter(({ document }) => lookUnchanged(document, files)),
    question,
  );
  return { ...decision, notes: [...decision.notes, note] };
}

function lookUnchanged({ restorePoint, startedAt }: VerificationRecord, files: FoundFile[]): boolean {
  const list = (all: { role: string; path: string; sizeBytes: number }[]): string =>
    JSON.stringify(all.map(({ role, path, sizeBytes }) => [role, path, sizeBytes]));
  return list(restorePoint.files) === list(files) && files.every(({ modifiedAt }) => modifiedAt.getTime() <= Date.parse(startedAt));
}

/** A file may belong to several restore points: it is proven when one of them is. */
async function askDigest(sha256: string, question: Question): Promise<Decision> {
  const records = recordsOf(question.ledger, [sha256]);
  if (records.length === 0) return judge([], question);
  const decisions = await Promise.all([...groups(records, ({ files }) => dataKey(files)).values()].map((group) => judge(group, question)));
  const best = (['broken', 'proven', 'failed', 'missing', 'inconclusive'] as Answer[]).flatMap((answer) =>
    decisions.filter((one) => one.answer === answer),
  )[0] as Decision;
  const others = (best.record?.document.restorePoint.files.length ?? 1) - 1;
  const note = `Only this digest was named: no file was read${others > 0 ? `, and the record proves it together with ${others} more` : ''}.`;
  return { ...best, notes: [...best.notes, note] };
}

/** The newest restore point of which there is a record decides: an older one that is proven does not replace it. */
async function askMachine(machine: string, question: Question): Promise<Decision> {
  const records = newestOfMachine(question.ledger, machine).filter(({ document }) => !isControl(document));
  if (records.length === 0) return missing([{ code: 'no-record', message: `The ledger holds no record of a machine "${machine}".` }]);
  const all = [...groups(records, ({ id, files }) => `${id}|${dataKey(files)}`).values()].sort((a, b) => momentOf(b) - momentOf(a));
  const decision = await judge(all[0] ?? [], question);
  const notes = [...decision.notes, 'No file was read: this says what was proven, not that it still lies where it was.'];
  const proven = decision.answer === 'proven' ? null : await firstProven(all.slice(1), question);
  if (proven?.record)
    notes.push(
      `The newest restore point that is proven is of ${proven.record.document.restorePoint.takenAt ?? 'an unknown time'} (record ${proven.record.document.id}).`,
    );
  return { ...decision, notes };
}

/** With the newest of each verdict, so that many verifications of older restore points do not push a failure out of sight. */
function newestOfMachine(ledger: Ledger, machine: string): Stored<VerificationRecord>[] {
  const records = recordsOfMachine(ledger, machine, MOST_OF_MACHINE);
  const seen = new Set(records.map(({ entry }) => entry.seq));
  const others = (['failed', 'inconclusive', 'passed'] as const).flatMap((verdict) => ledger.latestFor(machine, { verdict }) ?? []);
  return [...records, ...others.filter(({ entry, document }) => !seen.has(entry.seq) && isUsable(document))].sort((a, b) => b.entry.seq - a.entry.seq);
}

async function firstProven(all: Stored<VerificationRecord>[][], question: Question): Promise<Decision | null> {
  for (const group of all) {
    const decision = await judge(group, question);
    if (decision.answer === 'proven') return decision;
  }
  return null;
}

/** Records about the same, in the order of the records. */
function groups(
  records: Stored<VerificationRecord>[],
  keyOf: (about: VerificationRecord['restorePoint']) => string,
): Map<string, Stored<VerificationRecord>[]> {
  const found = new Map<string, Stored<VerificationRecord>[]>();
  for (const record of records) {
    const key = keyOf(record.document.restorePoint);
    found.set(key, [...(found.get(key) ?? []), record]);
  }
  return found;
}

/** When it was taken; where nobody knows, when it was first verified. */
function momentOf(group: Stored<VerificationRecord>[]): number {
  const first = group.at(-1)?.document;
  return Date.parse(first?.restorePoint.takenAt ?? first?.startedAt ?? '') || 0;
}

async function judge(records: Stored<VerificationRecord>[], { ledger, requirements, signature, now }: Question): Promise<Decision> {
  const candidates = await Promise.all(records.map((stored) => toCandidate(ledger, stored, requirements.signature ? signature : async () => null)));
  return decide(candidates, requirements, now);
}

function missing(shortfalls: Shortfall[]): Decision {
  return { answer: 'missing', record: null, missing: shortfalls, notes: [] };
}
