/** `--json`: exactly one document on standard output. */
import type { Writable } from 'node:stream';
import { buildRunDocument } from '../ledger/record.js';
import type { VerificationRecord } from '../types.js';

/** Resolves when the stream has taken all of it, so that a program that ends then loses nothing. */
export function writeDocument(document: unknown, stream: Writable): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(`${JSON.stringify(document, null, 2)}\n`, (error) => (error ? reject(error) : resolve()));
  });
}

/** The document of a run, `snapproof.run/v1`. */
export function writeRunDocument(records: VerificationRecord[], stream: Writable): Promise<void> {
  return writeDocument(buildRunDocument(records), stream);
}
