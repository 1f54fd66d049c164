/** One store: CURRENT, the MANIFEST it names, every live table file, every log that is still needed. */
import { posix } from 'node:path';
import { Problems } from '../../../src/bytes/problems.js';
import { MappedSource } from '../../../src/bytes/source.js';
import type { CheckContext } from '../../../src/check.js';
import { FormatError } from '../../../src/errors.js';
import type { ByteMap, ByteSource, GuestEntry, GuestLocation } from '../../../src/types.js';
import { walkLog } from '../format/log.js';
import { applyEdit, newVersion, type Version } from '../format/version-edit.js';
import { verifyTable } from './table.js';

const MAX_CURRENT_BYTES = 100;
const MAX_UNTESTED = 50;

/** Plain JSON, but for what `problems` reports. */
export interface ScanFacts {
  manifest: string | null;
  edits: number;
  tables: number;
  tableBytes: number;
  blocks: number;
  logs: number;
  logRecords: number;
  logBytes: number;
  untested: { what: string; why: string }[];
}

export class StoreScan {
  readonly problems = new Problems();
  readonly facts: ScanFacts = { manifest: null, edits: 0, tables: 0, tableBytes: 0, blocks: 0, logs: 0, logRecords: 0, logBytes: 0, untested: [] };
  private readonly entries = new Map<string, GuestEntry>();

  constructor(
    private readonly folder: GuestLocation,
    private readonly context: CheckContext<unknown>,
  ) {}

  async run(): Promise<void> {
    for (const entry of await this.context.labs.files.list(this.folder))
      if (entry.type === 'file') this.entries.set(posix.basename(entry.location.path), entry);
    const manifest = await this.current();
    const version = manifest === null ? null : await this.readManifest(manifest);
    if (!version) return;
    this.facts.edits = version.edits;
    if (version.unknown !== null) this.open(`files of the store in ${this.folder.path}`, `its MANIFEST holds ${version.unknown}, which is not known here`);
    else await this.readTables(version);
    await this.readLogs(version);
  }

  /** CURRENT holds the name of the MANIFEST and a line feed. It is replaced as a whole. */
  private async current(): Promise<string | null> {
    const path = posix.join(this.folder.path, 'CURRENT');
    const entry = this.entries.get('CURRENT');
    const text =
      entry && entry.sizeBytes <= MAX_CURRENT_BYTES
        ? (await this.withFile('CURRENT', (source) => source.read(0, source.sizeBytes)))?.toString('latin1')
        : undefined;
    if (text === undefined) this.problems.damaged('rocksdb.current', `${path} is missing or no short text: the store cannot be opened.`, { file: path });
    else if (!/^MANIFEST-\d{6,}\n$/.test(text))
      this.problems.damaged('rocksdb.current', `${path} does not name a MANIFEST: the store cannot be opened.`, { file: path });
    else return text.trim();
    return null;
  }

  private async readManifest(name: string): Promise<Version | null> {
    const path = posix.join(this.folder.path, name);
    const version = newVersion();
    this.facts.manifest = name;
    let broken = '';
    const take = (record: Buffer) => {
      try {
        if (version.unknown === null && broken === '') applyEdit(record, version);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        broken = error.message;
      }
    };
    const end = await this.withFile(name, (source) => walkLog(source, Number(name.slice(9)), take, this.context.signal));
    if (!end) {
      this.problems.add({
        code: 'rocksdb.manifest',
        severity: 'critical',
        message: `CURRENT names ${path}, and it is not there.`,
        where: { file: path },
        state: 'non-atomic',
      });
      return null;
    }
    const why = broken || (end.resumesAt !== null && end.kind !== 'bad' ? 'a part of it was never written' : end.why);
    if (why || version.edits === 0)
      this.problems.damaged(
        'rocksdb.manifest',
        `${path} is damaged at byte ${end.at}: ${why || 'it holds nothing'}. Which files belong to the store cannot be told.`,
        { file: path, offset: end.at },
      );
    else if (end.kind === 'cut') {
      this.problems.add({
        code: 'rocksdb.manifest-tail',
        severity: 'warning',
        message: `The last record of ${path} is incomplete, and is dropped.`,
        where: { file: path, offset: end.at },
        state: 'lost-tail',
      });
    }
    return why || version.edits === 0 ? null : version;
  }

  private async readTables({ files }: Version): Promise<void> {
    const live = new Map([...files.values()].flatMap((family) => [...family]));
    const totalBytes = [...live.values()].reduce((sum, size) => sum + size, 0);
    for (const [number, size] of live) {
      this.context.signal.throwIfAborted();
      const base = String(number).padStart(6, '0');
      const name = [`${base}.sst`, `${base}.ldb`].find((candidate) => this.entries.has(candidate));
      await this.readTable(name ?? null, `${base}.sst`, size);
      this.facts.tables++;
      this.facts.tableBytes += size;
      this.context.progress({ stage: 'static', what: `RocksDB ${this.folder.path}`, doneBytes: Math.min(this.facts.tableBytes, totalBytes), totalBytes });
    }
  }

  private async readTable(name: string | null, expected: string, size: number): Promise<void> {
    const path = posix.join(this.folder.path, name ?? expected);
    const skew = (code: string, message: string) => this.problems.add({ code, severity: 'critical', message, where: { file: path }, state: 'non-atomic' });
    if (name === null)
      return skew('rocksdb.table-missing', `${path} belongs to the store and is not there: its data is lost, or the files are of different instants.`);
    const found = this.entries.get(name)?.sizeBytes ?? 0;
    if (found !== size) return skew('rocksdb.table-size', `${path} has ${found} bytes, and the MANIFEST says ${size}.`);
    const result = await this.withFile(name, (source) => verifyTable(source, path, this.problems, this.context.signal));
    if (!result) this.open(path, 'it could not be read as a file');
    else {
      this.facts.blocks += result.blocks;
      if (result.open !== null) this.open(`blocks of ${path}`, result.open);
    }
  }

  /** Logs before the oldest that any column family needs are left-overs. */
  private async readLogs({ logNumbers }: Version): Promise<void> {
    const oldest = Math.min(...logNumbers.values());
    const names = [...this.entries.keys()].filter((name) => /^\d{6,}\.log$/.test(name) && !(Number.parseInt(name, 10) < oldest)).sort();
    if (names.length === 0 && this.facts.tables > 0)
      this.open(`log of the store in ${this.folder.path}`, 'none lies there: it is in another folder (wal_dir), or lost');
    for (const [i, name] of names.entries()) await this.readLog(name, i === names.length - 1);
  }

  private async readLog(name: string, isLast: boolean): Promise<void> {
    const path = posix.join(this.folder.path, name);
    const end = await this.withFile(name, (source) => walkLog(source, Number.parseInt(name, 10), () => undefined, this.context.signal));
    if (!end) return this.open(path, 'it could not be read as a file');
    this.facts.logs++;
    this.facts.logRecords += end.records;
    this.facts.logBytes += end.at;
    const where = { file: path, offset: end.at };
    if (end.resumesAt !== null) {
      this.problems.damaged(
        'rocksdb.log-hole',
        `${path} is damaged at byte ${end.at} and goes on at ${end.resumesAt}: what lies between is lost, and the store drops all that follows without a word.`,
        where,
      );
    } else if (end.kind === 'bad' && !isLast) {
      this.problems.damaged(
        'rocksdb.log',
        `${path} is damaged at byte ${end.at} (${end.why}), and it is not the last log: records in the middle are lost.`,
        where,
      );
    } else if (end.kind !== 'whole') {
      const severity = end.kind === 'bad' ? 'warning' : 'info';
      this.problems.add({
        code: 'rocksdb.log-tail',
        severity,
        message: `The last record of ${path} is incomplete (byte ${end.at}), and is dropped.`,
        where,
        state: 'lost-tail',
      });
    }
  }

  private open(what: string, why: string): void {
    if (this.facts.untested.length < MAX_UNTESTED) this.facts.untested.push({ what, why });
  }

  /** Null when there is no such readable file. */
  private async withFile<T>(name: string, work: (source: ByteSource) => Promise<T>): Promise<T | null> {
    const entry = this.entries.get(name);
    const [map] = entry ? await this.context.labs.files.map([entry.location]) : ([] as (ByteMap | null)[]);
    if (!map) return null;
    const source = new MappedSource(map);
    return work(source).finally(() => source.close());
  }
}
