/** Public keys: Ed25519 and nothing else, so that no document can choose a weaker algorithm. */
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { FormatError } from '../errors.js';

export interface PublicKey {
  /** SHA-256 of the SubjectPublicKeyInfo in DER, hexadecimal. */
  keyId: string;
  /** SubjectPublicKeyInfo, PEM, as OpenSSL writes it. */
  pem: string;
  key: KeyObject;
}

const PEM_HEAD = '-----BEGIN PUBLIC KEY-----\n';
/** Of an Ed25519 key it has 113 characters. */
const MAX_PEM_LENGTH = 1000;

/** @throws FormatError when it is not exactly the PEM text of an Ed25519 public key. */
export function readPublicKey(pem: string): PublicKey {
  if (!pem.startsWith(PEM_HEAD) || pem.length > MAX_PEM_LENGTH) throw wrong('it does not begin with "-----BEGIN PUBLIC KEY-----"');
  const read = fromKey(parse(pem));
  if (read.pem !== pem) throw wrong('there is something besides the key');
  return read;
}

/** @throws FormatError for another kind of key */
export function fromKey(key: KeyObject): PublicKey {
  const own = key.type === 'private' ? createPublicKey(key) : key;
  if (own.asymmetricKeyType !== 'ed25519') throw wrong(`it is of the kind ${own.asymmetricKeyType ?? 'unknown'}; snapproof signs with Ed25519 only`);
  const der = own.export({ type: 'spki', format: 'der' });
  return { keyId: createHash('sha256').update(der).digest('hex'), pem: String(own.export({ type: 'spki', format: 'pem' })), key: own };
}

export function isSignedBy(key: PublicKey, bytes: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, bytes, key.key, signature);
}

/** The same on another thread. */
export function isSignedByLater(key: PublicKey, bytes: Uint8Array, signature: Uint8Array): Promise<boolean> {
  return new Promise((resolve, reject) => {
    verify(null, bytes, key.key, signature, (error, valid) => (error ? reject(error) : resolve(valid)));
  });
}

/** For people: the first 16 digits, in groups. */
export function shortKeyId(keyId: string): string {
  return (keyId.slice(0, 16).match(/.{1,4}/g) ?? []).join(' ');
}

function parse(pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (cause) {
    throw wrong((cause as Error).message);
  }
}

function wrong(why: string): FormatError {
  return new FormatError({ code: 'evidence.publicKey', message: `This is no public key that snapproof can use: ${why}.` });
}
