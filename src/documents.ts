/**
 * Documents of the ledger beside verification records, after src/types.ts: drills, sign-offs, keys, time stamps. Each names its schema, lies
 * in the same chain, and is never changed. Plain data (JSON); instants are ISO 8601 in UTC, sizes bytes, durations milliseconds.
 */
import type { Depth, VerdictWord, VerificationRecord } from './types.js';

export type LedgerDocument = VerificationRecord | DrillDocument | SignOffDocument | KeyDocument | TimestampDocument;

/** What every document has. */
export interface DocumentHead {
  schema: string;
  /** Unique within a ledger. */
  id: string;
}

// ---------------------------------------------------------------- drills

/** How a restore point came to be verified: what an auditor asks of a sample. */
export interface Selection {
  how: 'latest' | 'random' | 'all' | 'unverified' | 'named' | 'control';
  /** Of `random`: what repeats the choice. */
  seed: string | null;
  /** Restore points that could have been chosen. */
  population: number;
  chosen: number;
}

export type DrillItemState = 'verified' | 'still-valid' | 'not-reached' | 'unreadable';

/** One restore point of a drill. */
export interface DrillItem {
  machine: string;
  restorePoint: string;
  path: string;
  takenAt: string | null;
  depth: Depth;
  state: DrillItemState;
  /** Of `verified` and `still-valid`. */
  recordId: string | null;
  verdict: VerdictWord | null;
  /** Why it was not verified, or what bound it missed. Plain sentences. */
  why: string[];
  selection: Selection;
  /** Recovery time objective and what was measured; null when there is no bound or no measurement. */
  rto: { limitSeconds: number; measuredSeconds: number | null; met: boolean | null } | null;
  /** Recovery point objective: the age of the newest restore point of the machine when the drill began. */
  rpo: { limitSeconds: number; measuredSeconds: number | null; met: boolean | null } | null;
}

/** A known-bad restore point that the drill made itself and had to see rejected. */
export interface ControlResult {
  name: string;
  damage: string;
  recordId: string | null;
  verdict: VerdictWord | null;
  /** It was rejected, for its own damage. */
  rejected: boolean;
  /** What had to come of it. Default: failed. `passed`: a sound one, which shows that not everything is rejected. */
  expected?: VerdictWord;
  why: string;
}

export interface OverdueMachine {
  machine: string;
  /** Newest record that passed; null: never. */
  lastProvenAt: string | null;
  dueEverySeconds: number;
}

/** `void`: a control passed, so nothing this drill says counts. */
export type DrillVerdict = 'passed' | 'failed' | 'inconclusive' | 'void';

export interface DrillDocument extends DocumentHead {
  schema: 'snapproof.drill/v1';
  name: string;
  policy: { path: string; sha256: string };
  startedAt: string;
  finishedAt: string;
  /** How often it was interrupted and went on. */
  resumed: number;
  deadlineAt: string | null;
  verdict: DrillVerdict;
  reasons: string[];
  items: DrillItem[];
  overdue: OverdueMachine[];
  /** Machines that this drill answers for, chosen or not: one that is missing from the next listing is missed there. */
  machines?: string[];
  controls: ControlResult[];
  /** Who was told: channel, what came of it. Never secrets. */
  told: { channel: string; target: string; ok: boolean; why: string }[];
  operator: string;
}

// ---------------------------------------------------------------- people

/** A person looked at a record or drill and says so. Appended, never edited. */
export interface SignOffDocument extends DocumentHead {
  schema: 'snapproof.sign-off/v1';
  /** Record or drill. */
  about: string;
  reviewer: string;
  at: string;
  decision: 'accepted' | 'rejected';
  note: string;
  ticket: string | null;
  correctiveAction: string | null;
  /** The record that showed the correction. */
  retest: string | null;
}

// ---------------------------------------------------------------- evidence

/** Public keys and what became of them: trust begins with the first, and every change is in the chain. */
export interface KeyDocument extends DocumentHead {
  schema: 'snapproof.key/v1';
  at: string;
  event: 'added' | 'rotated' | 'revoked';
  keyId: string;
  /** SubjectPublicKeyInfo, PEM. */
  publicKey: string;
  /** Of `rotated`: the key that took over signs it too. */
  replacedBy: string | null;
  reason: string;
}

/** RFC 3161: an authority outside saw this head of the chain at that time. */
export interface TimestampDocument extends DocumentHead {
  schema: 'snapproof.timestamp/v1';
  at: string;
  headSeq: number;
  headHash: string;
  /** DER, base64. */
  token: string;
  authority: string;
  genTime: string;
}

/** DSSE (https://github.com/secure-systems-lab/dsse). `payload` and `sig` base64. */
export interface DsseEnvelope {
  payloadType: string;
  payload: string;
  signatures: { keyid: string; sig: string }[];
}
