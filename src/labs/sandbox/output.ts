/** Keeps the first bytes of a stream and drops the rest, so that a tool that never stops talking fills no memory. */
import type { Readable } from 'node:stream';

export interface CappedOutput {
  text(): string;
  readonly truncated: boolean;
}

/** Reads `stream` to its end; keeps `limitBytes`. */
export function capOutput(stream: Readable, limitBytes: number): CappedOutput {
  const kept: Buffer[] = [];
  let keptBytes = 0;
  let truncated = false;
  stream.on('data', (chunk: Buffer) => {
    const part = chunk.subarray(0, limitBytes - keptBytes);
    if (part.length < chunk.length) truncated = true;
    if (part.length > 0) kept.push(Buffer.from(part));
    keptBytes += part.length;
  });
  stream.on('error', () => undefined);
  return {
    text: () => Buffer.concat(kept).toString('utf8'),
    get truncated() {
      return truncated;
    },
  };
}
