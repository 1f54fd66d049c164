/**
 * Which restore points are proven. The ledger alone says so of most, by place, length and time of change: that only makes more stay. The one
 * of each machine for which older ones may go is read again, byte by byte.
 */
import type { VerificationRecord } from '../../types.js';
import { ask, type Question } from '../ask.js';
import { recordsOfMachine } from '../candidates.js';
import type { Decision } from '../decide.js';
import { restorePointSubject, type Subject, type SubjectOptions } from '../subject.js';
import type { FoundPoint } from './discover.js';

export interface Proof {
  proven: boolean;
  /** For people: what proves it, or what is missing. */
  text: string;
  /** Its files were read for this; null: only looked at. */
  subject: Subject | null;
}

export interface ProofOptions extends SubjectOptions {
  question: Question;
}

interface Judged {
  decision: Decision;
  subject: Subject;
}

/** Of one machine. @param found newest first, all with a time that is known and not in doubt; the rest is never proven */
export async function proofsOf(found: FoundPoint[], options: ProofOptions): Promise<Map<FoundPoint, Proof>> {
  const proofs = new Map<FoundPoint, Proof>();
  let anchored: boolean = false;
  for (const point of found) {
    const quick = await decisionOf(point, { ...options, trustDigest: true });
    const worthReading: boolean = !anchored && !options.trustDigest && mayBeProven(point, quick.decision, options.question);
    const judged: Judged = worthReading ? await decisionOf(point, options) : quick;
    // What was not read proves nothing for others, so it is no anchor; it is kept by rules as a proven one.
    const proven: boolean = judged.decision.answer === 'proven';
    anchored ||= proven && (worthReading || options.trustDigest);
    proofs.set(point, { proven: proven && anchored, text: textOf(judged.decision), subject: worthReading ? judged.subject : null });
  }
  return proofs;
}

async function decisionOf({ restorePoint }: FoundPoint, options: ProofOptions): Promise<Judged> {
  const subject = await restorePointSubject(restorePoint, options);
  return { decision: await ask(subject, options.question), subject };
}

/** Reading costs hours, so it is only done where a record that passed is of a restore point of this moment. */
function mayBeProven({ restorePoint }: FoundPoint, quick: Decision, { ledger, ofMachine }: Question): boolean {
  if (quick.answer === 'proven') return true;
  const moved = quick.missing.every(({ code }) => code === 'no-record' || code === 'bytes-changed');
  if (!moved) return false;
  const records = ofMachine?.(restorePoint.machine) ?? recordsOfMachine(ledger, restorePoint.machine);
  return records.some(({ document }) => document.verdict === 'passed' && sameMoment(document, restorePoint.takenAt));
}

function sameMoment({ restorePoint }: VerificationRecord, takenAt: string | null): boolean {
  return restorePoint.takenAt === takenAt;
}

function textOf({ answer, record, missing }: Decision): string {
  if (answer === 'proven' && record) return `record ${record.document.id}`;
  return missing[0]?.message ?? answer;
}
