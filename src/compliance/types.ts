/** How the fields of records and drills serve the clauses of rules. Data: see README.md beside this file. */
import type { DrillDocument, SignOffDocument } from '../documents.js';
import type { VerificationRecord } from '../types.js';

/** Where a clause was read. */
export interface Source {
  /** The official text. */
  document: string;
  /** Its address; printed, never followed. */
  address: string;
  /** What was really read, where that is not the official text itself. */
  readIn: string;
  /** Date, ISO 8601. */
  readOn: string;
}

/** A thing that a record or a drill may show. */
export type FactId =
  | 'restored'
  | 'integrity'
  | 'reconciled'
  | 'coverage'
  | 'separated'
  | 'dated'
  | 'result'
  | 'set-up'
  | 'time-objective'
  | 'age-objective'
  | 'repeated'
  | 'sampled'
  | 'reviewed'
  | 'corrected'
  | 'authentic'
  | 'can-fail';

export interface Clause {
  /** As people cite it: `Article 12(2)`. */
  clause: string;
  /** What it asks for, in our own words, as far as a test of backups has to do with it. */
  asks: string;
  /** What of it a record or drill can show. */
  facts: FactId[];
  /** What of it no record can show, and who must. */
  notShown: string;
}

export type RuleId = 'DORA' | 'NIS2' | 'ISO27001' | 'SOC2' | 'NIST800-53' | 'HIPAA' | 'BSI';

export interface Rule {
  id: RuleId;
  name: string;
  source: Source;
  clauses: Clause[];
}

/** What is held against a clause. */
export interface Subject {
  /** One, or all of a drill. */
  records: Subjected[];
  drill: DrillDocument | null;
  /** Of the drill, or of the record. */
  signOffs: SignOffDocument[];
  /** Earlier documents of the same machine or drill: instants, oldest first. */
  earlier: string[];
  stored: boolean;
  signed: boolean;
}

/** The record as far as the facts look at it; older ones lack fields. */
export type Subjected = Pick<
  VerificationRecord,
  'verdict' | 'restorePoint' | 'checks' | 'coverage' | 'ways' | 'recovery' | 'isolation' | 'environment' | 'startedAt'
>;

export type Shown = 'shown' | 'partly' | 'missing';

export interface FactShown {
  fact: FactId;
  state: Shown;
  /** Fields of the documents that show it. */
  fields: string[];
  /** What they say, or what is missing. One plain sentence. */
  says: string;
}

export interface ClauseShown extends Omit<Clause, 'facts'> {
  facts: FactShown[];
}
