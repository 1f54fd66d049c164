/** `--json`: exactly one document on standard output. */
import type { Writable } from 'node:stream';
import { buildRunDocument } from '../ledger/record.js';
import type { VerificationRecord } from '../types.js';
import { writeText } from './write.js';

/** @throws LabError when the stream cannot be written. */
export function writeDocument(document: unknown, stream: Writable): Promise<void> {
  return writeText(stream, `${JSON.stringify(document, null, 2)}\n`);
}

/** The document of a run, `snapproof.run/v1`. */
export function writeRunDocument(records: VerificationRecord[], stream: Writable): Promise<void> {
  return writeDocument(buildRunDocument(records), stream);
}
