/** The one pass over saved RAM that all checks of memory share: marks at the beginning of blocks, and phrases anywhere. */
import type { ProgressSink } from '../../src/types.js';
import type { GuestRam } from '../../src/ways.js';
import { PhraseFinder } from './phrases.js';

/** Every mark that is looked for begins a block of this size. */
export const BLOCK_BYTES = 512;
const WORDS_PER_BLOCK = BLOCK_BYTES / 4;
/** What a phrase is told with: enough for a line of a log. */
const CONTEXT_BYTES = 160;
/** Phrases that reach over the end of a run of pages are found by looking at this much of both sides again. */
const SEAM_BYTES = 256;

export interface ScanPlan {
  /** First four bytes of a block (little-endian), and who looks closer. The bytes go on to the end of the run, and are only good during the call. */
  marks: Map<number, (address: number, bytes: Buffer) => void>;
  phrases: string[];
  /** `text`: the phrase and what follows it, in the same run of pages; `before`: what stands before it. */
  onPhrase(phrase: number, address: number, before: Buffer, text: Buffer): void;
}

export interface Scanned {
  /** Of pages that hold more than one repeated byte. */
  bytes: number;
  milliseconds: number;
}

export async function scanPages(ram: GuestRam, plan: ScanPlan, signal: AbortSignal, progress: ProgressSink): Promise<Scanned> {
  const finder = new PhraseFinder(plan.phrases);
  const total = ram.ranges.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
  const begin = performance.now();
  const scanned: Scanned = { bytes: 0, milliseconds: 0 };
  let tail = { end: -1, bytes: Buffer.alloc(0) };
  let told = 0;
  for await (const { address, bytes } of ram.pages(signal)) {
    signal.throwIfAborted();
    const run = aligned(bytes);
    findMarks(run, address, plan);
    finder.find(run, (phrase, at) => tell(plan, phrase, address + at, run, at));
    if (tail.end === address) findInSeam(finder, plan, tail, run);
    tail = { end: address + run.length, bytes: Buffer.from(run.subarray(-SEAM_BYTES)) };
    scanned.bytes += run.length;
    if (address - told < total / 100) continue;
    told = address;
    progress({ stage: 'memory', what: 'the saved memory', doneBytes: Math.min(address, total), totalBytes: total });
  }
  scanned.milliseconds = Math.round(performance.now() - begin);
  return scanned;
}

/** Words can only be looked at where they are aligned in the host's memory. */
function aligned(bytes: Buffer): Buffer {
  return bytes.byteOffset % 4 === 0 ? bytes : Buffer.from(new Uint8Array(bytes).buffer);
}

function findMarks(run: Buffer, address: number, { marks }: ScanPlan): void {
  const words = new Uint32Array(run.buffer, run.byteOffset, run.length >>> 2);
  for (let i = 0; i < words.length; i += WORDS_PER_BLOCK) {
    const look = marks.get(words[i] as number);
    if (look) look(address + i * 4, run.subarray(i * 4));
  }
}

function findInSeam(finder: PhraseFinder, plan: ScanPlan, tail: { end: number; bytes: Buffer }, run: Buffer): void {
  const seam = aligned(Buffer.concat([tail.bytes, run.subarray(0, SEAM_BYTES)]));
  const border = tail.bytes.length;
  finder.find(seam, (phrase, at) => {
    const length = (plan.phrases[phrase] as string).length;
    if (at < border && at + length > border) tell(plan, phrase, tail.end - border + at, seam, at);
  });
}

function tell(plan: ScanPlan, phrase: number, address: number, bytes: Buffer, at: number): void {
  plan.onPhrase(phrase, address, bytes.subarray(Math.max(0, at - CONTEXT_BYTES), at), bytes.subarray(at, at + CONTEXT_BYTES));
}
