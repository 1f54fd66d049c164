/** Puts text on a stream so that nothing is lost, and a reader that went away stops nothing. */
import type { Writable } from 'node:stream';
import { LabError } from '../errors.js';

const GONE = new Set(['EPIPE', 'ERR_STREAM_DESTROYED']);

/** Whether the reader of a stream went away (`| head`), which is no failure of ours. */
export function isReaderGone(error: unknown): boolean {
  return GONE.has((error as NodeJS.ErrnoException).code ?? '');
}

/**
 * Resolves when the stream has taken all of it, so that a program that ends then loses nothing; also when its reader is gone.
 * @throws LabError when it cannot be written, such as to a full disk.
 */
export function writeText(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error && !isReaderGone(error) ? reject(unwritable(error)) : resolve()));
  });
}

function unwritable(cause: Error): LabError {
  return new LabError({
    code: 'output.unwritable',
    message: `The result could not be written out: ${cause.message}.`,
    advice: 'See whether the disk it goes to is full. What was stored in the ledger is still there: "snapproof history --json" prints it.',
    cause,
  });
}
