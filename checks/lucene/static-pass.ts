/** Reads one index: its newest commit, and every file of it from end to end. Nothing of the guest runs. */
import { posix } from 'node:path';
import { type ProblemReport, Problems } from '../../src/bytes/problems.js';
import { MappedSource } from '../../src/bytes/source.js';
import type { CheckContext } from '../../src/check.js';
import { FormatError } from '../../src/errors.js';
import type { ByteMap, ByteSource, DatabaseInstance } from '../../src/types.js';
import { COMMIT_NAME } from './finder.js';
import { crc32 } from './format/crc32.js';
import { FOOTER_BYTES, FOOTER_MAGIC, filesIn, HEADER_MAGIC, parseSegments, type Segment } from './format/segments.js';

/** Plain JSON, a few kilobytes. */
export interface StaticEvidence {
  folder: string;
  volume: string;
  commit: string | null;
  segments: number;
  files: number;
  bytes: number;
  /** What could not be judged, and why. */
  unknown: { what: string; why: string }[];
  /** Elasticsearch keeps what came after the commit beside the index. */
  hasTranslog: boolean;
  problems: ProblemReport;
}

const BLOCK_BYTES = 1024 * 1024;
const MAX_COMMIT_BYTES = 64 * 1024 * 1024;
const MAX_LISTED = 20;

export function staticPass(instance: DatabaseInstance, context: CheckContext<unknown>): Promise<StaticEvidence> {
  return context.once(`lucene ${instance.id}`, () => new IndexPass(instance, context).run());
}

class IndexPass {
  private readonly problems = new Problems();
  private readonly evidence: StaticEvidence;

  constructor(
    private readonly instance: DatabaseInstance,
    private readonly context: CheckContext<unknown>,
  ) {
    const { path, volume } = instance.location;
    const nothing = { commit: null, segments: 0, files: 0, bytes: 0, unknown: [], hasTranslog: false };
    this.evidence = { folder: path, volume, ...nothing, problems: { counts: {}, examples: [] } };
  }

  async run(): Promise<StaticEvidence> {
    const { files } = this.context.labs;
    const { path, volume } = this.instance.location;
    const names = (await files.list(this.instance.location)).map((entry) => posix.basename(entry.location.path));
    this.evidence.commit = newestCommit(names);
    this.evidence.hasTranslog = (await files.stat({ volume, path: posix.join(path, '../translog') }))?.type === 'directory';
    const segments = this.evidence.commit ? await this.readCommit(this.evidence.commit) : [];
    this.evidence.segments = segments.length;
    for (const segment of segments) await this.readSegment(segment);
    return { ...this.evidence, problems: this.problems.report() };
  }

  private async readCommit(name: string): Promise<Segment[]> {
    const bytes = await this.verified(name, MAX_COMMIT_BYTES);
    if (!bytes) return [];
    try {
      return parseSegments(bytes);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.unknown(name, error.message);
      return [];
    }
  }

  private async readSegment({ name, codec, files }: Segment): Promise<void> {
    if (codec === 'SimpleText') return this.unknown(`segment ${name}`, 'its codec SimpleText keeps other sums');
    const info = await this.verified(`${name}.si`, MAX_COMMIT_BYTES);
    const listed = info ? filesIn(info, name).filter((file) => file !== `${name}.si`) : [];
    if (info && listed.length === 0) this.unknown(`segment ${name}`, `its codec ${codec} lists no files that are known`);
    for (const file of new Set([...listed, ...files])) await this.verified(file, 0);
  }

  private unknown(what: string, why: string): void {
    if (this.evidence.unknown.length < MAX_LISTED) this.evidence.unknown.push({ what, why });
  }

  /** Null when it is damaged or missing; else its content, up to `keepBytes` (none when it is longer). */
  private async verified(name: string, keepBytes: number): Promise<Buffer | null> {
    const location = { volume: this.instance.location.volume, path: posix.join(this.instance.location.path, posix.basename(name)) };
    const place = await this.context.labs.files.resolve(location);
    const [map] = place ? await this.context.labs.files.map([place]) : [];
    if (!map) {
      this.problems.damaged('lucene.missing', `${name}, which the commit lists, is not in ${this.evidence.folder}.`, {
        folder: this.evidence.folder,
        file: name,
      });
      return null;
    }
    return this.verifyMap(name, map, keepBytes);
  }

  private async verifyMap(name: string, map: ByteMap, keepBytes: number): Promise<Buffer | null> {
    const source = new MappedSource(map);
    try {
      this.evidence.files++;
      this.evidence.bytes += map.sizeBytes;
      const problem = await fileProblem(source, this.context.signal);
      this.context.progress({ stage: 'static', what: name, doneBytes: this.evidence.bytes, totalBytes: null });
      if (!problem) return source.sizeBytes <= keepBytes ? await source.read(0, source.sizeBytes) : Buffer.alloc(0);
      this.problems.damaged('lucene.file', `${name} of ${this.evidence.folder} ${problem}.`, { folder: this.evidence.folder, file: name });
      return null;
    } finally {
      await source.close();
    }
  }
}

/** A sentence part, or null: header, footer, and the sum over all but its own eight bytes. */
async function fileProblem(source: ByteSource, signal: AbortSignal): Promise<string | null> {
  const end = source.sizeBytes - 8;
  if (source.sizeBytes < FOOTER_BYTES + 8) return `has only ${source.sizeBytes} bytes`;
  if ((await source.read(0, 4)).readUInt32BE(0) !== HEADER_MAGIC) return 'does not begin with the header of a Lucene file';
  const footer = await source.read(source.sizeBytes - FOOTER_BYTES, FOOTER_BYTES);
  if (footer.readUInt32BE(0) !== FOOTER_MAGIC) return 'does not end with the footer of a Lucene file: it is cut off';
  let sum = 0;
  for (let at = 0; at < end; at += BLOCK_BYTES) {
    signal.throwIfAborted();
    sum = crc32(await source.read(at, Math.min(BLOCK_BYTES, end - at)), undefined, undefined, sum);
  }
  return BigInt(sum) === footer.readBigUInt64BE(8) ? null : 'does not fit its own checksum';
}

function newestCommit(names: string[]): string | null {
  const commits = names.filter((name) => COMMIT_NAME.test(name));
  const generation = (name: string) => Number.parseInt(name.slice('segments_'.length), 36);
  return commits.sort((a, b) => generation(b) - generation(a))[0] ?? null;
}
