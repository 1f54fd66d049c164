/** Streams that keep what was written. */
import { PassThrough } from 'node:stream';
import type { Streams } from '../../src/commands/streams.js';

export interface Captured {
  streams: Streams;
  out(): string;
  err(): string;
}

export function capture(): Captured {
  const read = (stream: PassThrough): string => String(stream.read() ?? '');
  const stdout = new PassThrough({ highWaterMark: 1 << 24 });
  const stderr = new PassThrough({ highWaterMark: 1 << 24 });
  return { streams: { stdout, stderr }, out: () => read(stdout), err: () => read(stderr) };
}
