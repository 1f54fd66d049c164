/** What a command writes to: results on `stdout`, everything else on `stderr`. */
import type { Writable } from 'node:stream';

export type TextStream = Writable & { isTTY?: boolean; columns?: number };

export interface Streams {
  stdout: TextStream;
  stderr: TextStream;
}

/** Columns of a terminal within what can be read; 80 for pipes and files. */
export function widthOf(stream: TextStream): number {
  return stream.isTTY && stream.columns ? Math.min(Math.max(stream.columns, 60), 120) : 80;
}

/** Resolves when the stream has taken the text, so that a program that ends then loses nothing. */
export function print(stream: TextStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });
}
