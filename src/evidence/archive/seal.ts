/** The signature of an archive as a whole: an in-toto statement whose one subject is SHA256SUMS, so that nothing can be left out or put in. */
import type { DsseEnvelope } from '../../documents.js';
import { FormatError } from '../../errors.js';
import { canonicalJson, sha256Hex } from '../../ledger/index.js';
import { makeEnvelope, openEnvelope, PAYLOAD_TYPE, preAuthenticationEncoding } from '../dsse.js';
import { isSignedBy, type PublicKey } from '../public-key.js';
import type { Signer } from '../signer.js';
import { STATEMENT_TYPE } from '../statements.js';
import { SUMS } from './layout.js';

export const SEAL_PREDICATE = 'urn:snapproof:evidence-archive:v1';

/** @throws LedgerError when there is no signature to be had */
export async function sealSums(signer: Signer, sums: string): Promise<DsseEnvelope> {
  const payload = Buffer.from(canonicalJson(statement(sha256Hex(sums))));
  const signature = await signer.sign(preAuthenticationEncoding(PAYLOAD_TYPE, payload));
  return makeEnvelope(payload, signer.publicKey.keyId, signature);
}

/** Which of these keys sealed it. @returns its id, or why it is no seal of these sums */
export function checkSeal(text: string, sumsSha256: string, keys: PublicKey[]): { keyId: string } | { why: string } {
  try {
    const { payload, encoding, signature, keyid } = openEnvelope(text);
    const key = keys.find((one) => one.keyId === keyid);
    if (!key) return { why: 'its key is not in the archive' };
    if (!isSignedBy(key, encoding, signature)) return { why: `it was not made with the key ${key.keyId}` };
    return payload.equals(Buffer.from(canonicalJson(statement(sumsSha256)))) ? { keyId: key.keyId } : { why: 'it is about other files' };
  } catch (error) {
    if (error instanceof FormatError) return { why: error.message };
    throw error;
  }
}

function statement(sha256: string): object {
  return { _type: STATEMENT_TYPE, subject: [{ name: SUMS, digest: { sha256 } }], predicateType: SEAL_PREDICATE, predicate: {} };
}
