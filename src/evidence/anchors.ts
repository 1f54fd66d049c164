/** Keys that somebody brings along to verify with: the id of a key, or a file with a public key. */
import { readFileSync } from 'node:fs';
import { FormatError, UsageError } from '../errors.js';
import type { Anchors } from './check-signatures.js';
import { type PublicKey, readPublicKey } from './public-key.js';

const KEY_ID = /^[0-9a-f]{64}$/;

/** @throws UsageError for what is neither */
export function anchorsOf(named: string[]): Anchors {
  const ids = named.map((text) => text.replaceAll(' ', '').toLowerCase()).filter((text) => KEY_ID.test(text));
  const files = named.filter((text) => !KEY_ID.test(text.replaceAll(' ', '').toLowerCase()));
  return { ids, keys: files.map(publicKeyFile) };
}

/** @throws UsageError when it cannot be read or is no public key */
export function publicKeyFile(path: string): PublicKey {
  try {
    return readPublicKey(readFileSync(path, 'utf8'));
  } catch (cause) {
    const why =
      cause instanceof FormatError
        ? cause.message
        : `It is not the id of a key (64 hexadecimal digits), and as a file it cannot be read: ${(cause as Error).message}`;
    throw new UsageError({ code: 'usage.key', message: `${path}: ${why}`, advice: 'Name the whole id of a key, or a file with its public key (PEM).', cause });
  }
}
