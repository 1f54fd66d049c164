/** What the rest of the program uses to sign and to verify. */

export { anchorsOf, publicKeyFile } from './anchors.js';
export { type ArchiveManifest, type ArchiveVerification, boundOf, exportArchive, verifyArchive } from './archive/index.js';
export { type Attested, attest } from './attest.js';
export { type Authority, authorityAt, authorityOf } from './authority.js';
export {
  type Anchors,
  type DocumentSignatures,
  NO_ANCHORS,
  type SignatureProblem,
  type SignatureReport,
} from './check-signatures.js';
export { checkLedgerTimestamps, type TimestampReport } from './check-timestamps.js';
export { initKey, type NewKey, revokeKey, rotateKey } from './key-events.js';
export { hasKeyFile, keyPath, type Passphrase } from './key-files.js';
export { checkLedgerSignatures, signaturesOfEntry } from './ledger-signatures.js';
export { checkWord, hashLines, paperHead } from './paper.js';
export { type PublicKey, shortKeyId } from './public-key.js';
export { openRecorder, Recorder, type RecorderOptions } from './recorder.js';
export { keyInUse, openSigner, type Signer, type SigningContext } from './signer.js';
export { objectionToTimestamp, requestTimestamp } from './timestamp.js';
export type { KeyStanding, KeyState } from './trust.js';
