/** What a drill has set out to do: made once, kept on the disk, and gone through until nothing is left, however often it is interrupted. */
import type { Selection } from '../documents.js';
import type { Candidate } from './sources/index.js';

export interface PlanItem extends Candidate {
  /** Index in the policy's machines. */
  rule: number;
  selection: Selection;
  /** Seconds from the newest restore point of its machine to the begin of the drill; null: nothing says when it was taken. */
  newestAgeSeconds: number | null;
}

export interface Plan {
  /** Of the drill. */
  id: string;
  name: string;
  policy: { path: string; sha256: string };
  startedAt: string;
  deadlineAt: string | null;
  /** Entries that the ledger had: what the drill appended comes after. */
  headSeq: number;
  items: PlanItem[];
  /** All that the drill answers for: those listed now, and those of earlier drills. */
  machines: string[];
  /** Sentences for people, and what could not be listed. */
  notes: string[];
  problems: string[];
}
