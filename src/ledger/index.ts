/** What the rest of the program uses of the ledger. */

export { ARTEFACT_FOLDER, artefactPath, keepArtefact } from './artefacts.js';
export { digestOf, EMPTY_HEAD, GENESIS_HASH, type LedgerEntry, type LedgerHead } from './entry.js';
export { type HistoryFilter, type HistoryItem, Ledger, ledgerPath, openLedger, readLedger, stateFolder } from './ledger.js';
export { buildRecord, buildRunDocument, type RecordInput } from './record.js';
export { problemsOfRecord, problemsOfRun, recordSchema, runSchema } from './schemas.js';
export type { LedgerProblem, LedgerProblemKind, LedgerVerification } from './verify.js';
