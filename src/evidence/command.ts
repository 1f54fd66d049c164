/** Runs a program that somebody configured: as it is named, no shell, bytes in and bytes out. */
import { spawn } from 'node:child_process';

export interface CommandResult {
  output: Buffer;
  errors: string;
  /** Null when it ended well; else how it ended, as the rest of a sentence. */
  ending: string | null;
}

/** What is kept of its output; the rest is dropped. */
const KEPT_BYTES = 1024 * 1024;

/** Never rejects: how it ended is part of the result. */
export function runCommand([program = '', ...args]: string[], input: Uint8Array, timeoutMs: number): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: timeoutMs, killSignal: 'SIGKILL' });
    const output = keep(child.stdout);
    const errors = keep(child.stderr);
    const done = (ending: string | null): void => resolve({ output: output(), errors: errors().toString('utf8').trim(), ending });
    child.on('error', (error) => done(`it could not be started: ${error.message}`));
    child.on('close', (code, signal) => done(endingOf(code, signal, timeoutMs)));
    // It may end without reading: its exit code says why.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

function endingOf(code: number | null, signal: NodeJS.Signals | null, timeoutMs: number): string | null {
  if (code === 0) return null;
  return signal ? `it was ended by ${signal} (limit: ${timeoutMs / 1000} s)` : `it ended with exit code ${code}`;
}

function keep(stream: NodeJS.ReadableStream): () => Buffer {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    if (length < KEPT_BYTES) chunks.push(chunk);
    length += chunk.length;
  });
  return () => Buffer.concat(chunks);
}
