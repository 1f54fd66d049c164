/** Who signs: a private key on the disk, at once, or a signing command. Which key it is, the chain says. */
import { type KeyObject, sign } from 'node:crypto';
import type { KeyDocument, LedgerDocument } from '../documents.js';
import { LedgerError } from '../errors.js';
import type { Ledger, LedgerEntry, Sealed } from '../ledger/index.js';
import { signCommand, signWith } from './agent.js';
import { makeEnvelope, PAYLOAD_TYPE, preAuthenticationEncoding } from './dsse.js';
import { hasKeyFile, type Passphrase, readKey } from './key-files.js';
import { isSignedBy, type PublicKey, readPublicKey } from './public-key.js';
import { payloadOf, statementsOf } from './statements.js';

export interface Signer {
  publicKey: PublicKey;
  /** Null when it takes another program. */
  signNow: ((bytes: Buffer) => Buffer) | null;
  /** @throws LedgerError when there is no signature to be had */
  sign(bytes: Buffer): Promise<Buffer>;
}

/** What signing needs to know of its surroundings. */
export interface SigningContext {
  stateFolder: string;
  env: NodeJS.ProcessEnv;
  passphrase: Passphrase;
}

export function signerOf(publicKey: PublicKey, privateKey: KeyObject): Signer {
  const signNow = (bytes: Buffer): Buffer => sign(null, bytes, privateKey);
  return { publicKey, signNow, sign: async (bytes) => signNow(bytes) };
}

/** The key that the ledger says is in use: the last that was added and not ended since. Null: none. */
export function keyInUse(ledger: Ledger): KeyDocument | null {
  const documents = ledger.documents({ kind: 'key' }).map(({ document }) => document);
  const ended = new Set(documents.filter(({ event }) => event !== 'added').map(({ keyId }) => keyId));
  return documents.find(({ event, keyId }) => event === 'added' && !ended.has(keyId)) ?? null;
}

/** Null when the ledger has no key in use. @throws LedgerError when it has, and this host cannot sign with it */
export async function openSigner(ledger: Ledger, context: SigningContext): Promise<Signer | null> {
  const inUse = keyInUse(ledger);
  return inUse && signerFor(readPublicKey(inUse.publicKey), context);
}

/** @throws LedgerError `key.missing` and others; UsageError for a wrong configuration */
export async function signerFor(publicKey: PublicKey, context: SigningContext): Promise<Signer> {
  const command = hasKeyFile(context.stateFolder, publicKey.keyId) ? null : signCommand(context.stateFolder, context.env);
  if (command) return commandSigner(publicKey, command);
  return signerOf(publicKey, await readKey(context.stateFolder, publicKey.keyId, context.passphrase));
}

function commandSigner(publicKey: PublicKey, command: string[]): Signer {
  const sign = async (bytes: Buffer): Promise<Buffer> => {
    const signature = await signWith(command, bytes);
    if (isSignedBy(publicKey, bytes, signature)) return signature;
    throw new LedgerError({
      code: 'key.agent',
      message: `The signing command ${command.join(' ')} signed with another key than ${publicKey.keyId}.`,
      advice: 'Let it use that key, or make the other one known with "snapproof keys rotate --public-key FILE".',
    });
  };
  return { publicKey, signNow: null, sign };
}

/** All statements about a document, signed at once. For a signer with `signNow`. */
export function sealNow(publicKey: PublicKey, signNow: (bytes: Buffer) => Buffer, document: LedgerDocument, entry: LedgerEntry): Sealed[] {
  return statementsOf(document, entry).map(({ name, statement }) => {
    const payload = payloadOf(statement);
    return sealed(publicKey, name, payload, signNow(preAuthenticationEncoding(PAYLOAD_TYPE, payload)));
  });
}

/** The same for any signer. @throws LedgerError when there is no signature to be had */
export async function seal(signer: Signer, document: LedgerDocument, entry: LedgerEntry): Promise<Sealed[]> {
  const all: Sealed[] = [];
  for (const { name, statement } of statementsOf(document, entry)) {
    const payload = payloadOf(statement);
    all.push(sealed(signer.publicKey, name, payload, await signer.sign(preAuthenticationEncoding(PAYLOAD_TYPE, payload))));
  }
  return all;
}

function sealed({ keyId }: PublicKey, statement: string, payload: Buffer, signature: Buffer): Sealed {
  return { statement, keyId, envelope: makeEnvelope(payload, keyId, signature) };
}
