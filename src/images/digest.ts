/** SHA-256 of the files of a restore point: each read once, in order, with bounded memory; a file that changes meanwhile is told. */
import { createHash } from 'node:crypto';
import { InterruptedError } from '../errors.js';
import type { FileDigest, FileRole, Finding, ProgressSink, RestorePoint, SnapshotImage } from '../types.js';
import { changed, currentStamp, differenceOf } from './changes.js';
import { ImageFile } from './image-file.js';

const CHUNK_BYTES = 2 ** 21;

export interface FileToDigest {
  role: FileRole;
  path: string;
  format: string;
}

export interface DigestOptions {
  signal: AbortSignal;
  progress: ProgressSink;
  /** Files read at the same time; default 2. */
  concurrency?: number;
}

export interface DigestResult {
  /** In the order asked, each path once. A file that cannot be read has a finding instead. */
  digests: FileDigest[];
  /** `image.changed-while-read`, `image.unreadable`. */
  findings: Finding[];
}

/** Every file a restore point consists of: all layers of all disks, memory, configuration. Files that are not there are left out. */
export function filesToDigest(restorePoint: RestorePoint, images: SnapshotImage[]): FileToDigest[] {
  const files: FileToDigest[] = images.flatMap((image) => image.layers.map(({ path, format }) => ({ role: 'disk' as const, path, format })));
  if (restorePoint.memory) files.push({ role: 'memory', path: restorePoint.memory.path, format: restorePoint.memory.format });
  for (const path of restorePoint.configs) files.push({ role: 'config', path, format: /\.xml$/i.test(path) ? 'xml' : 'json' });
  return distinct(files);
}

/** @throws InterruptedError when the signal aborts. */
export async function digestFiles(files: FileToDigest[], options: DigestOptions): Promise<DigestResult> {
  const wanted = distinct(files);
  const results: (FileDigest | null)[] = wanted.map(() => null);
  const findings: Finding[] = [];
  const totals = new Totals(options.progress);
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < wanted.length; index = next++) {
      const file = wanted[index] as FileToDigest;
      const outcome = await digestOne(file, options.signal, totals);
      results[index] = outcome.digest;
      if (outcome.finding) findings.push(outcome.finding);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency ?? 2 }, worker));
  return { digests: results.filter((digest) => digest !== null), findings };
}

async function digestOne(file: FileToDigest, signal: AbortSignal, totals: Totals): Promise<{ digest: FileDigest | null; finding: Finding | null }> {
  let image: ImageFile | null = null;
  try {
    image = await ImageFile.open(file.path);
    totals.add(image.sizeBytes);
    const before = await image.stamp();
    const sha256 = await hash(image, signal, (bytes) => totals.done(bytes, file.path));
    const change = differenceOf(before, await image.stamp(), await currentStamp(file.path));
    const digest = { role: file.role, path: file.path, format: file.format, sizeBytes: image.sizeBytes, sha256 };
    return change ? { digest: null, finding: changed(file.path, change) } : { digest, finding: null };
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    if (error instanceof RangeError) return { digest: null, finding: changed(file.path, 'it became shorter') };
    return { digest: null, finding: unreadable(file.path, error) };
  } finally {
    await image?.close();
  }
}

/** Reads one chunk ahead, so that the disk works while the processor hashes. */
async function hash(image: ImageFile, signal: AbortSignal, done: (bytes: number) => void): Promise<string> {
  const sha256 = createHash('sha256');
  const buffers = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)] as const;
  const start = (offset: number, turn: number): Promise<Buffer> | null => {
    if (offset >= image.sizeBytes) return null;
    const target = (turn % 2 === 0 ? buffers[0] : buffers[1]).subarray(0, Math.min(CHUNK_BYTES, image.sizeBytes - offset));
    const reading = image.readInto(target, offset).then(() => target);
    reading.catch(() => undefined);
    return reading;
  };
  let reading = start(0, 0);
  for (let offset = 0, turn = 1; reading; offset += CHUNK_BYTES, turn++) {
    const chunk = await reading;
    if (signal.aborted) throw new InterruptedError({ code: 'digest.interrupted', message: 'the digest of the files was interrupted' });
    reading = start(offset + CHUNK_BYTES, turn);
    sha256.update(chunk);
    done(chunk.length);
  }
  return sha256.digest('hex');
}

function unreadable(path: string, error: unknown): Finding {
  const why = (error as NodeJS.ErrnoException).code ?? String(error);
  return { code: 'image.unreadable', severity: 'critical', message: `${path} cannot be read (${why}).`, where: { file: path } };
}

function distinct(files: FileToDigest[]): FileToDigest[] {
  return [...new Map(files.map((file) => [file.path, file])).values()];
}

class Totals {
  private doneBytes = 0;
  private totalBytes = 0;

  constructor(private readonly progress: ProgressSink) {}

  add(bytes: number): void {
    this.totalBytes += bytes;
  }

  done(bytes: number, what: string): void {
    this.doneBytes += bytes;
    this.progress({ stage: 'digest', what, doneBytes: this.doneBytes, totalBytes: this.totalBytes });
  }
}
