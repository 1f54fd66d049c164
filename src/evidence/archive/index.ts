/** Archives of evidence: made from a ledger, verified without one. */
export { type ExportRequest, exportArchive } from './export.js';
export type { ArchiveManifest } from './manifest.js';
export { boundOf, type Selection } from './selection.js';
export { type ArchiveVerification, verifyArchive } from './verify.js';
