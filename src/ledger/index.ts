/** What the rest of the program uses of the ledger. */

export { ARTEFACT_FOLDER, artefactPath, keepArtefact } from './artefacts.js';
export { canonicalJson, plainJson } from './canonical.js';
export { digestOf, EMPTY_HEAD, entryHash, GENESIS_HASH, type LedgerEntry, type LedgerHead, nextEntry, sha256Hex } from './entry.js';
export type { Sealed, StoredEnvelope } from './envelopes.js';
export { DOCUMENT_KINDS, type DocumentKind, type DocumentOf, isKind, kindOf, schemaOf } from './kinds.js';
export {
  type AppendOptions,
  type HistoryFilter,
  type HistoryItem,
  Ledger,
  ledgerPath,
  openLedger,
  readLedger,
  stateFolder,
} from './ledger.js';
export type { DocumentFilter, LatestFilter, Stored } from './lookups.js';
export { buildRecord, buildRunDocument, newRecordId, type RecordInput } from './record.js';
export { documentSchema, problemsOfDocument, problemsOfRecord, problemsOfRun, runSchema } from './schemas.js';
export type { SignedText } from './texts.js';
export type { LedgerNote, LedgerProblem, LedgerProblemKind, LedgerVerification } from './verify.js';
