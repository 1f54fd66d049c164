/** Says how far something is, in bytes and not only by a spinner. */
import type { Progress } from '../types.js';
import { visible } from './escape.js';
import type { Clock } from './progress-types.js';
import { formatBytes, formatBytesOf } from './units.js';

/** `312 of 628 MB, 410 MB/s`; empty when no bytes were counted. */
export function describeBytes(progress: Progress, elapsedMs: number): string {
  const { doneBytes, totalBytes } = progress;
  if (doneBytes <= 0 && !totalBytes) return '';
  const amount = totalBytes === null ? formatBytes(doneBytes) : formatBytesOf(doneBytes, totalBytes);
  // A rate over less than this says more about buffers than about the disk.
  return elapsedMs < 200 || doneBytes <= 0 ? amount : `${amount}, ${formatBytes((doneBytes * 1000) / elapsedMs)}/s`;
}

/** Measures from the first report about the same thing. */
export class Narrator {
  private readonly begun = new Map<string, { what: string; at: number }>();

  constructor(private readonly now: Clock) {}

  describe(progress: Progress): string {
    const { stage, what } = progress;
    const known = this.begun.get(stage);
    const begin = known?.what === what ? known.at : this.now();
    this.begun.set(stage, { what, at: begin });
    const bytes = describeBytes(progress, this.now() - begin);
    return visible(bytes ? `${what}: ${bytes}` : what);
  }
}
