/** Signs what has no signature that counts: what was stored while there was no key, or while it could not be used. */
import type { LedgerDocument } from '../documents.js';
import { LedgerError } from '../errors.js';
import type { Ledger, Sealed, SignedText } from '../ledger/index.js';
import { checkLedgerSignatures } from './ledger-signatures.js';
import { openSigner, type Signer, type SigningContext, seal } from './signer.js';

export interface Attested {
  keyId: string;
  /** Documents that are signed now. */
  signed: number[];
  /** Documents that had a signature that counts. */
  before: number;
  /** What this key signed already, and its signature does not hold: nothing is put over it. */
  spoiled: number[];
}

/**
 * Nothing is signed that does not verify: a signature would make a changed document look true.
 * @throws LedgerError when the chain does not hold, when no key is in use, or it cannot sign
 */
export async function attest(ledger: Ledger, context: SigningContext): Promise<Attested> {
  const signer = await openSigner(ledger, context);
  if (!signer) throw noKey(ledger);
  if (!ledger.verify().ok) throw broken(ledger);
  const unsigned: number[] = [];
  const report = await checkLedgerSignatures(ledger, undefined, ({ entry }, counts) => {
    if (!counts) unsigned.push(entry.seq);
  });
  const result: Attested = { keyId: signer.publicKey.keyId, signed: [], before: report.signed, spoiled: [] };
  for (const seq of unsigned) (await signOne(ledger, signer, seq)) ? result.signed.push(seq) : result.spoiled.push(seq);
  return result;
}

async function signOne(ledger: Ledger, signer: Signer, seq: number): Promise<boolean> {
  const signed = ledger.text(seq);
  if (!signed || ledger.checkEntry(seq).length > 0) throw broken(ledger);
  const all = await seal(signer, JSON.parse(signed.text) as LedgerDocument, signed.entry);
  const missing = all.filter((one) => !has(signed, one));
  if (missing.length > 0) ledger.addEnvelopes(seq, missing);
  return missing.length === all.length;
}

function has({ envelopes }: SignedText, { statement, keyId }: Sealed): boolean {
  return envelopes.some((envelope) => envelope.statement === statement && envelope.keyId === keyId);
}

function broken(ledger: Ledger): LedgerError {
  return new LedgerError({
    code: 'ledger.broken',
    message: `The ledger ${ledger.path} does not verify, so nothing in it was signed.`,
    advice: 'Run "snapproof ledger verify" to see what happened.',
  });
}

function noKey(ledger: Ledger): LedgerError {
  return new LedgerError({ code: 'key.none', message: `The ledger ${ledger.path} has no key in use.`, advice: 'Make one with "snapproof keys init".' });
}
