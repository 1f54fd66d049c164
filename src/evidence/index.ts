/** What the rest of the program uses to sign and to verify. */

export { anchorsOf, publicKeyFile } from './anchors.js';
export { type Attested, attest } from './attest.js';
export {
  type Anchors,
  type DocumentSignatures,
  NO_ANCHORS,
  type SignatureProblem,
  type SignatureReport,
} from './check-signatures.js';
export { initKey, type NewKey, revokeKey, rotateKey } from './key-events.js';
export { hasKeyFile, keyPath, type Passphrase } from './key-files.js';
export { checkLedgerSignatures, signaturesOfEntry } from './ledger-signatures.js';
export { checkWord, hashLines, paperHead } from './paper.js';
export { type PublicKey, shortKeyId } from './public-key.js';
export { openRecorder, Recorder, type RecorderOptions } from './recorder.js';
export { keyInUse, openSigner, type SigningContext } from './signer.js';
export type { KeyStanding, KeyState } from './trust.js';
