/** Writes an archive file by file, and keeps the digest of each. It is there whole, or not at all. */
import { createHash, type Hash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip, type Gzip } from 'node:zlib';
import { UsageError } from '../../errors.js';
import { ROOT, SEAL, SUMS } from './layout.js';
import { END_OF_ARCHIVE, padding, tarHeader } from './tar.js';

export class ArchiveWriter {
  private readonly sums: string[] = [];
  private readonly names = new Set<string>();

  private constructor(
    private readonly path: string,
    private readonly gzip: Gzip,
    private readonly done: Promise<void>,
  ) {}

  /** @throws UsageError when there is something at this path */
  static async open(path: string): Promise<ArchiveWriter> {
    if (existsSync(path))
      throw new UsageError({ code: 'usage.out', message: `${path} exists already and was left as it is.`, advice: 'Name another file with --out.' });
    const file = createWriteStream(draftOf(path), { mode: 0o600 });
    await once(file, 'open').catch((cause: Error) => {
      throw new UsageError({ code: 'usage.out', message: `${path} cannot be written: ${cause.message}`, cause });
    });
    const gzip = createGzip();
    const done = pipeline(gzip, file);
    // Told by the write that meets it.
    done.catch(() => {});
    return new ArchiveWriter(path, gzip, done);
  }

  async add(name: string, content: string | Buffer): Promise<void> {
    const bytes = Buffer.from(content);
    await this.begin(name, bytes.length);
    await this.put(bytes);
    await this.end(name, bytes.length, createHash('sha256').update(bytes));
  }

  /** A file that does not fit memory. @param sizeBytes as it is known: another length is an error */
  async addFile(name: string, path: string, sizeBytes: number): Promise<void> {
    await this.begin(name, sizeBytes);
    const hash = createHash('sha256');
    let length = 0;
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > sizeBytes) break;
      hash.update(chunk);
      await this.put(chunk);
    }
    if (length !== sizeBytes) throw new Error(`${path} changed while it was read`);
    await this.end(name, sizeBytes, hash);
  }

  /** Text of SHA256SUMS so far: `sha256sum --check` reads it. */
  sumsText(): string {
    return this.sums.join('');
  }

  /** Only now it lies at its path. */
  async finish(): Promise<void> {
    await this.put(END_OF_ARCHIVE);
    this.gzip.end();
    await this.done;
    await flush(draftOf(this.path));
    await rename(draftOf(this.path), this.path);
    await flush(dirname(this.path));
  }

  async discard(): Promise<void> {
    this.gzip.destroy();
    await this.done.catch(() => {});
    await rm(draftOf(this.path), { force: true });
  }

  private async begin(name: string, sizeBytes: number): Promise<void> {
    if (this.names.has(name)) throw new Error(`${name} is in the archive already`);
    this.names.add(name);
    await this.put(tarHeader(ROOT + name, sizeBytes));
  }

  private async end(name: string, sizeBytes: number, hash: Hash): Promise<void> {
    await this.put(padding(sizeBytes));
    if (name !== SUMS && name !== SEAL) this.sums.push(`${hash.digest('hex')}  ${name}\n`);
  }

  private async put(bytes: Buffer): Promise<void> {
    if (bytes.length === 0 || this.gzip.write(bytes)) return;
    await Promise.race([once(this.gzip, 'drain'), this.done]);
  }
}

function draftOf(path: string): string {
  return `${path}.partial`;
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
