/** The answer of the gate as one document, `snapproof.gate/v1`, for programs that ask it. */
import { EXIT, type ExitCode } from '../errors.js';
import type { Stored } from '../ledger/index.js';
import type { Consistency, Depth, FileDigest, VerdictWord, VerificationRecord } from '../types.js';
import { depthOf, type Shortfall } from './assess.js';
import type { Answer, Decision } from './decide.js';
import type { Requirements } from './requirements.js';
import type { Subject } from './subject.js';

export interface GateDocument {
  schema: 'snapproof.gate/v1';
  askedAt: string;
  ledger: string;
  subject: {
    kind: 'restore-point' | 'digest' | 'machine';
    /** As it was named. */
    target: string;
    machine: string | null;
    restorePoint: string | null;
    takenAt: string | null;
    /** Whether the SHA-256 of its files were computed for this answer. */
    filesRead: boolean;
    files: FileDigest[];
  };
  requirements: Requirements;
  answer: Answer;
  /** Null: no record decides. */
  record: DecidingRecord | null;
  missing: Shortfall[];
  notes: string[];
}

/** What is worth knowing of the record that decides, and where it lies. */
export interface DecidingRecord {
  id: string;
  seq: number;
  entryHash: string;
  machine: string;
  restorePoint: string;
  takenAt: string | null;
  startedAt: string;
  finishedAt: string;
  verdict: VerdictWord;
  depth: Depth | null;
  consistency: Consistency;
  recovery: VerificationRecord['recovery'];
}

export const EXIT_OF_ANSWER: Record<Answer, ExitCode> = {
  proven: EXIT.passed,
  missing: EXIT.failed,
  failed: EXIT.failed,
  inconclusive: EXIT.inconclusive,
  broken: EXIT.ledger,
};

export function gateDocument(
  target: string,
  subject: Subject,
  decision: Decision,
  about: { requirements: Requirements; ledger: string; now: Date },
): GateDocument {
  const { answer, record, missing, notes } = decision;
  return {
    schema: 'snapproof.gate/v1',
    askedAt: about.now.toISOString(),
    ledger: about.ledger,
    subject: { target, ...describeSubject(subject) },
    requirements: about.requirements,
    answer,
    record: record && decidingRecord(record),
    missing,
    notes,
  };
}

function describeSubject(subject: Subject): Omit<GateDocument['subject'], 'target'> {
  const nothing = { machine: null, restorePoint: null, takenAt: null, filesRead: false, files: [] };
  if (subject.kind === 'digest') return { ...nothing, kind: 'digest' };
  if (subject.kind === 'machine') return { ...nothing, kind: 'machine', machine: subject.machine };
  const { machine, id, takenAt } = subject.restorePoint;
  const files = subject.kind === 'restore-point' ? subject.digests : [];
  return { kind: 'restore-point', machine, restorePoint: id, takenAt, filesRead: subject.kind === 'restore-point', files };
}

export function decidingRecord({ entry, document }: Stored<VerificationRecord>): DecidingRecord {
  const { id, startedAt, finishedAt, verdict, consistency, recovery, restorePoint } = document;
  return {
    id,
    seq: entry.seq,
    entryHash: entry.entryHash,
    machine: restorePoint.machine,
    restorePoint: restorePoint.id,
    takenAt: restorePoint.takenAt,
    startedAt,
    finishedAt,
    verdict,
    depth: depthOf(document),
    consistency: consistency.observed,
    recovery,
  };
}
