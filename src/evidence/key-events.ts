/** Keys come and go in the chain: each event is a document, signed, so that years later it is known which key counted when. */

import type { KeyDocument } from '../documents.js';
import { LedgerError } from '../errors.js';
import { canonicalJson, type Ledger, type LedgerEntry, newRecordId, nextEntry, type Sealed } from '../ledger/index.js';
import { createKey } from './key-files.js';
import { type PublicKey, readPublicKey } from './public-key.js';
import { keyInUse, openSigner, type Signer, type SigningContext, seal, signerFor, signerOf } from './signer.js';

export interface NewKey {
  /** Of a key that is made here; null: it is stored without encryption. */
  passphrase: string | null;
  /** A key that a signing command has: none is made here. */
  publicKey: PublicKey | null;
}

const MOST_TRIES = 20;

/**
 * The first key, or a new one after all others were lost or revoked: nothing vouches for that one, so whoever verifies must name it.
 * @param lost the private key in use is no more
 * @throws LedgerError `key.exists` when one is in use
 */
export async function initKey(
  ledger: Ledger,
  context: SigningContext,
  made: NewKey,
  lost: boolean,
): Promise<{ key: PublicKey; first: boolean; path: string | null }> {
  const inUse = keyInUse(ledger);
  if (inUse && !lost) throw exists(inUse);
  const { signer, path } = await newSigner(context, made);
  const first = ledger.documents({ kind: 'key', limit: 1 }).length === 0;
  await appendSigned(ledger, keyDocument('added', signer.publicKey, beginning(first, inUse)), [signer]);
  return { key: signer.publicKey, first, path };
}

function beginning(first: boolean, lost: KeyDocument | null): string {
  if (first) return 'The first key of this ledger.';
  return lost ? `A new beginning: the private key of ${lost.keyId} is lost.` : 'A new beginning: no earlier key was in use.';
}

/**
 * A new key takes over: the one in use vouches for it, and ends.
 * @throws LedgerError when no key is in use, or it cannot sign
 */
export async function rotateKey(
  ledger: Ledger,
  context: SigningContext,
  made: NewKey,
  reason: string,
): Promise<{ old: PublicKey; key: PublicKey; path: string | null }> {
  const old = await openSigner(ledger, context);
  if (!old) throw none(ledger);
  const { signer, path } = await newSigner(context, made);
  await appendSigned(ledger, keyDocument('added', signer.publicKey, `Takes over from ${old.publicKey.keyId}. ${reason}`), [old, signer]);
  await appendSigned(ledger, { ...keyDocument('rotated', old.publicKey, reason), replacedBy: signer.publicKey.keyId }, [old, signer]);
  return { old: old.publicKey, key: signer.publicKey, path };
}

/**
 * Nothing that comes after counts when this key signed it. Signed with the key in use; that may be the very key.
 * @throws LedgerError for a key that the ledger does not know, or when nobody can sign
 */
export async function revokeKey(ledger: Ledger, context: SigningContext, keyId: string, reason: string): Promise<LedgerEntry> {
  const revoked = knownKey(ledger, keyId);
  const signer = await openSigner(ledger, context);
  if (!signer) throw none(ledger);
  return appendSigned(ledger, keyDocument('revoked', readPublicKey(revoked.publicKey), reason), [signer]);
}

/** By its whole id or a beginning of at least 8 digits that only it has. */
function knownKey(ledger: Ledger, wanted: string): KeyDocument {
  const prefix = wanted.replaceAll(' ', '').toLowerCase();
  const added = ledger.documents({ kind: 'key' }).filter(({ document }) => document.event === 'added' && document.keyId.startsWith(prefix));
  const [only, another] = added;
  if (only && !another && prefix.length >= 8) return only.document;
  throw new LedgerError({
    code: 'key.unknown',
    message: another ? `Several keys begin with ${wanted}.` : `The ledger ${ledger.path} has no key ${wanted}.`,
    advice: '"snapproof keys list" shows all; at least the first 8 digits are needed.',
  });
}

async function newSigner(context: SigningContext, { passphrase, publicKey }: NewKey): Promise<{ signer: Signer; path: string | null }> {
  if (publicKey) return { signer: await signerFor(publicKey, context), path: null };
  const made = createKey(context.stateFolder, passphrase);
  return { signer: signerOf(made.publicKey, made.privateKey), path: made.path };
}

/**
 * A key event is never in the chain without its signatures: they are made first, of the entry as it will be, because a signing command takes
 * time. When another writer was faster, it is done again.
 */
async function appendSigned(ledger: Ledger, document: KeyDocument, signers: Signer[]): Promise<LedgerEntry> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const now = new Date();
    const expected = nextEntry(ledger.head(), document.id, canonicalJson(document), now.toISOString());
    const sealed: Sealed[] = [];
    for (const signer of signers) sealed.push(...(await seal(signer, document, expected)));
    const entry = appendIf(ledger, document, now, expected, sealed);
    if (entry) return entry;
  }
  throw new LedgerError({ code: 'ledger.busy', message: `Other programs append to ${ledger.path} all the time, so no key could be stored. Try again later.` });
}

function appendIf(ledger: Ledger, document: KeyDocument, now: Date, expected: LedgerEntry, sealed: Sealed[]): LedgerEntry | null {
  try {
    return ledger.append(document, { now, seal: (entry) => (entry.entryHash === expected.entryHash ? sealed : overtaken()) });
  } catch (error) {
    if (error instanceof Overtaken || (error instanceof LedgerError && error.cause instanceof Overtaken)) return null;
    throw error;
  }
}

class Overtaken extends Error {}

function overtaken(): never {
  throw new Overtaken();
}

function keyDocument(event: KeyDocument['event'], { keyId, pem }: PublicKey, reason: string): KeyDocument {
  const now = new Date();
  return { schema: 'snapproof.key/v1', id: `key-${newRecordId(now)}`, at: now.toISOString(), event, keyId, publicKey: pem, replacedBy: null, reason };
}

function exists({ keyId }: KeyDocument): LedgerError {
  return new LedgerError({
    code: 'key.exists',
    message: `The key ${keyId} is in use.`,
    advice: 'A new one takes over with "snapproof keys rotate". If the private key is lost: "snapproof keys init --lost".',
  });
}

function none(ledger: Ledger): LedgerError {
  return new LedgerError({ code: 'key.none', message: `The ledger ${ledger.path} has no key in use.`, advice: 'Make one with "snapproof keys init".' });
}
