/** What a command writes to: results on `stdout`, everything else on `stderr`. */
import type { Writable } from 'node:stream';
import { writeText } from '../reporters/write.js';

export type TextStream = Writable & { isTTY?: boolean; columns?: number };

export interface Streams {
  stdout: TextStream;
  stderr: TextStream;
}

/** Columns of a terminal within what can be read; 80 for pipes and files. */
export function widthOf(stream: TextStream): number {
  return stream.isTTY && stream.columns ? Math.min(Math.max(stream.columns, 60), 120) : 80;
}

/** @throws LabError when the stream cannot be written; a reader that went away is no error. */
export function print(stream: TextStream, text: string): Promise<void> {
  return writeText(stream, text);
}
