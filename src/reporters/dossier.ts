/**
 * What a report is made of: documents of the ledger and what belongs to them, gathered by whoever can read the ledger. Plain data, but for
 * the bytes of artefacts. Records may be of earlier versions, which had fewer fields: `filledIn` makes them whole.
 */
import type { Rule } from '../compliance/types.js';
import type { DrillDocument, SignOffDocument } from '../documents.js';
import type { VerificationRecord } from '../types.js';

/** Where a document lies in the ledger. All hashes SHA-256, hexadecimal. */
export interface ChainPlace {
  seq: number;
  appendedAt: string;
  /** Of the document's canonical JSON (RFC 8785). */
  documentSha256: string;
  previousHash: string;
  entryHash: string;
  /** Of the keys that signed it; empty: unsigned. */
  keyIds: string[];
  /** The first time stamp of an authority outside that covers it; null: none does. Of a document that stands in another's page it is not looked for. */
  witnessed: { genTime: string; authority: string; headSeq: number } | null;
}

/** A record as its page needs it. */
export interface RecordDossier {
  kind: 'record';
  /** As it lies in the ledger. */
  document: VerificationRecord;
  record: FilledRecord;
  /** Null: it was not stored. */
  place: ChainPlace | null;
  /** Of the same machine, before this one, oldest first. */
  earlier: FilledRecord[];
  signOffs: SignOffDocument[];
  /** By SHA-256: those that are there and have their digest. */
  artefacts: ReadonlyMap<string, Uint8Array>;
}

/** A drill with its records. */
export interface DrillDossier {
  kind: 'drill';
  drill: DrillDocument;
  place: ChainPlace | null;
  /** By id: those of its items and controls, as far as the ledger has them. */
  records: ReadonlyMap<string, RecordDossier>;
  /** Of the same name, before this one, oldest first. */
  earlier: DrillDocument[];
  signOffs: SignOffDocument[];
}

export type Dossier = RecordDossier | DrillDossier;

/** What a check says of itself. */
export interface CheckTitle {
  /** Its passing condition: what was expected. */
  title: string;
  description: string;
}

/** What is the same for all reports of one call. */
export interface Setting {
  /** By id. Checks of other versions may be missing. */
  checks: ReadonlyMap<string, CheckTitle>;
  /** Rules whose clauses are shown. */
  rules: readonly Rule[];
  /** With every field, sentence and source: where they were asked for. */
  rulesInFull: boolean;
  /** ISO 8601, UTC. */
  writtenAt: string;
  version: string;
}

/** A record in which every field of today exists; `policy` is null where it was not kept yet. */
export interface FilledRecord extends Omit<VerificationRecord, 'policy'> {
  policy: VerificationRecord['policy'] | null;
}

/** Fields may be added to records: what an older one lacks reads as nothing, never as good news. */
export function filledIn(record: VerificationRecord): FilledRecord {
  const older: Partial<VerificationRecord> = record;
  return {
    ...record,
    instances: older.instances ?? [],
    ways: older.ways ?? [],
    artefacts: older.artefacts ?? [],
    inspection: older.inspection ?? null,
    policy: older.policy ?? null,
    drill: older.drill ?? null,
    deviations: older.deviations ?? [],
    stages: older.stages ?? [],
    checks: record.checks.map((check) => ({ ...check, way: check.way ?? null, instanceState: check.instanceState ?? null })),
  };
}
