/**
 * Reads an archive that may come from anybody: nothing of it is written to the disk, every name and size is known before its bytes are taken,
 * and only what snapproof writes is accepted.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { FormatError } from '../../errors.js';
import { type Place, placeOf, ROOT } from './layout.js';
import { BLOCK_BYTES, readHeader } from './tar.js';

export interface ArchiveFile {
  /** Below the folder of the archive. */
  name: string;
  place: Place;
  sizeBytes: number;
  /** Taken once, before the next file. */
  chunks: AsyncIterable<Buffer>;
}

/** As gzip (RFC 1952) heads what Node writes: no name, no time. */
const GZIP_HEADER = Buffer.from('1f8b0800000000000003', 'hex');
const MAX_FILES = 5_000_000;
const MAX_TOTAL_BYTES = 1024 ** 4;
/** Records resemble each other, but no honest archive shrinks to less than this part; zeroes do. */
const MAX_RATIO = 400;
const FREE_BYTES = 64 * 1024 * 1024;

/** @throws FormatError for what is no archive of snapproof; an error of the system when it cannot be read */
export async function* archiveFiles(path: string): AsyncGenerator<ArchiveFile> {
  const { size } = await stat(path);
  const bytes = new Inflated(path, size);
  try {
    await bytes.begin();
    const seen = new Set<string>();
    for (;;) {
      const header = readHeader(await bytes.exactly(BLOCK_BYTES));
      if (header === null) break;
      const place = placeOf(header.name, header.sizeBytes);
      if (seen.has(header.name)) throw wrong(`it holds ${header.name} twice`);
      if (seen.size >= MAX_FILES) throw wrong(`it holds more than ${MAX_FILES} files`);
      seen.add(header.name);
      const body = new Body(bytes, header.sizeBytes);
      yield { name: header.name.slice(ROOT.length), place, sizeBytes: header.sizeBytes, chunks: body.chunks() };
      await body.finish();
    }
    if (!isZero(await bytes.exactly(BLOCK_BYTES)) || !(await bytes.atEnd())) throw wrong('something follows its end');
  } finally {
    bytes.close();
  }
}

/** The bytes of one file, then the zeroes that fill its last block. */
class Body {
  private left: number;

  constructor(
    private readonly bytes: Inflated,
    private readonly sizeBytes: number,
  ) {
    this.left = sizeBytes;
  }

  async *chunks(): AsyncGenerator<Buffer> {
    while (this.left > 0) {
      const chunk = await this.bytes.some(this.left);
      this.left -= chunk.length;
      yield chunk;
    }
  }

  async finish(): Promise<void> {
    for await (const _ of this.chunks());
    const fill = (BLOCK_BYTES - (this.sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
    if (!isZero(await this.bytes.exactly(fill))) throw wrong('there are bytes between its files');
  }
}

/** What a gzip file holds, taken piece by piece. */
class Inflated {
  private readonly gunzip = createGunzip();
  private readonly file;
  private readonly source: AsyncIterator<Buffer>;
  private rest: Buffer = Buffer.alloc(0);
  private total = 0;
  private head: Buffer | null = null;

  constructor(
    path: string,
    private readonly packedBytes: number,
  ) {
    this.file = createReadStream(path);
    this.file.on('data', (chunk) => {
      this.head ??= Buffer.from(chunk).subarray(0, GZIP_HEADER.length);
    });
    this.file.on('error', (error) => this.gunzip.destroy(error));
    this.source = this.file.pipe(this.gunzip)[Symbol.asyncIterator]();
  }

  async begin(): Promise<void> {
    await this.fill();
    if (!this.head?.equals(GZIP_HEADER)) throw wrong('it does not begin like one');
  }

  async exactly(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = length; left > 0; ) {
      const chunk = await this.some(left);
      parts.push(chunk);
      left -= chunk.length;
    }
    return Buffer.concat(parts);
  }

  /** At least one byte, at most so many. */
  async some(most: number): Promise<Buffer> {
    if (this.rest.length === 0 && !(await this.fill())) throw wrong('it ends too early');
    const chunk = this.rest.subarray(0, most);
    this.rest = this.rest.subarray(chunk.length);
    return chunk;
  }

  /** Nothing is left, and every byte of the file was part of what was read. */
  async atEnd(): Promise<boolean> {
    return this.rest.length === 0 && !(await this.fill()) && this.gunzip.bytesWritten === this.packedBytes;
  }

  close(): void {
    this.file.destroy();
    this.gunzip.destroy();
  }

  private async fill(): Promise<boolean> {
    const { value, done } = await this.source.next().catch((cause: NodeJS.ErrnoException) => {
      throw cause.code?.startsWith('Z_') ? wrong(`its compression is damaged (${cause.message})`) : cause;
    });
    if (done) return false;
    this.rest = value;
    this.total += this.rest.length;
    if (this.total > MAX_TOTAL_BYTES || this.total > FREE_BYTES + this.packedBytes * MAX_RATIO) throw wrong('it swells to more than an honest archive can');
    return true;
  }
}

/** The whole of a small file. */
export async function wholeOf(file: ArchiveFile): Promise<{ bytes: Buffer; sha256: string }> {
  const parts: Buffer[] = [];
  for await (const chunk of file.chunks) parts.push(chunk);
  const bytes = Buffer.concat(parts);
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function isZero(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0);
}

function wrong(why: string): FormatError {
  return new FormatError({ code: 'archive.damaged', message: why });
}
