/** Reads one database folder: turtle, metadata, every file at its newest checkpoint, the journal behind it. Nothing of the guest runs. */
import { posix } from 'node:path';
import { type ProblemReport, Problems } from '../../src/bytes/problems.js';
import { MappedSource } from '../../src/bytes/source.js';
import type { CheckContext } from '../../src/check.js';
import { FormatError } from '../../src/errors.js';
import type { DatabaseInstance, GuestEntry, GuestLocation } from '../../src/types.js';
import { type FileConfig, parseFileConfig } from './format/config.js';
import { type JournalFacts, walkJournal } from './journal.js';
import { type Metadata, readMetadata } from './metadata.js';
import { type FileFacts, walkFile } from './walk-file.js';

/** Plain JSON, a few kilobytes. */
export interface StaticEvidence {
  folder: string;
  volume: string;
  version: string | null;
  /** Null: the metadata could not be read. */
  files: number | null;
  walked: FileFacts;
  /** Listed in the metadata, not in the folder. */
  missing: { count: number; examples: string[] };
  /** Files that could not be judged, with the reason. */
  unknown: { file: string; why: string }[];
  /** mongod empties its lock file when it ends; null: there is none. */
  lockHeld: boolean | null;
  /** Null: there is no folder of journal files, nor files in this one. */
  journal: JournalFacts | null;
  logLsn: { file: number; offset: number } | null;
  problems: ProblemReport;
}

const METADATA_FILE = 'WiredTiger.wt';
const MAX_TURTLE_BYTES = 1024 * 1024;
const MAX_LISTED = 20;

export function staticPass(instance: DatabaseInstance, context: CheckContext<unknown>): Promise<StaticEvidence> {
  return context.once(`wiredtiger ${instance.id}`, () => new DatabasePass(instance, context).run());
}

class DatabasePass {
  private readonly problems = new Problems();
  private readonly evidence: StaticEvidence;
  private entries = new Map<string, GuestEntry>();

  constructor(
    private readonly instance: DatabaseInstance,
    private readonly context: CheckContext<unknown>,
  ) {
    const { path, volume } = instance.location;
    this.evidence = {
      ...{ folder: path, volume, version: null, files: null, walked: { blocks: 0, bytes: 0, closed: 0 }, missing: { count: 0, examples: [] } },
      ...{ unknown: [], lockHeld: null, journal: null, logLsn: null, problems: { counts: {}, examples: [] } },
    };
  }

  async run(): Promise<StaticEvidence> {
    const { files } = this.context.labs;
    for (const entry of await files.list(this.instance.location)) this.entries.set(posix.basename(entry.location.path), entry);
    const lock = this.entries.get('mongod.lock');
    this.evidence.lockHeld = lock ? lock.sizeBytes > 0 : null;
    const turtle = await this.turtle();
    if (turtle) {
      this.evidence.logLsn = turtle.logLsn;
      await this.walkAll(turtle);
      this.evidence.journal = await this.walkLog();
    }
    return { ...this.evidence, problems: this.problems.report() };
  }

  /** The root of all: its line for the metadata file. */
  private async turtle(): Promise<FileConfig | null> {
    const bytes = await this.whole('WiredTiger.turtle');
    if (!bytes) {
      this.problems.damaged('wiredtiger.turtle', 'WiredTiger.turtle, from which all is found, is missing or cannot be read.', { folder: this.evidence.folder });
      return null;
    }
    const lines = bytes.toString('latin1').split('\n');
    this.evidence.version = (lines[lines.indexOf('WiredTiger version string') + 1] ?? '').slice(0, 60) || null;
    const config = lines[lines.indexOf(`file:${METADATA_FILE}`) + 1];
    try {
      if (config && lines.includes(`file:${METADATA_FILE}`)) return parseFileConfig(config);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
    this.problems.damaged('wiredtiger.turtle', 'WiredTiger.turtle does not name the checkpoint of the metadata.', { folder: this.evidence.folder });
    return null;
  }

  private async whole(name: string): Promise<Buffer | null> {
    return this.opened(this.at(name), (source) => source.read(0, Math.min(MAX_TURTLE_BYTES, source.sizeBytes)));
  }

  private at(name: string): GuestLocation {
    return { volume: this.instance.location.volume, path: posix.join(this.instance.location.path, name) };
  }

  private async opened<T>(location: GuestLocation, work: (source: MappedSource) => Promise<T>): Promise<T | null> {
    const { files } = this.context.labs;
    const place = await files.resolve(location);
    const [map] = place ? await files.map([place]) : [];
    if (!map) return null;
    const source = new MappedSource(map);
    return work(source).finally(() => source.close());
  }

  private async walkAll(turtle: FileConfig): Promise<void> {
    const entries = await this.metadata(turtle);
    if (!entries) {
      this.problems.damaged('wiredtiger.metadata', `${METADATA_FILE}, which lists all files, is missing or cannot be read.`, { folder: this.evidence.folder });
      return;
    }
    this.add(entries.facts);
    this.evidence.files = entries.files.size;
    if (entries.facts.closed > 0) this.unknown(METADATA_FILE, 'it is encrypted, so that not all files are known');
    for (const [name, config] of entries.files) await this.walkOne(name, config);
  }

  /** Null also when the turtle names a checkpoint that cannot be. */
  private async metadata(config: FileConfig): Promise<Metadata | null> {
    const walk = { path: METADATA_FILE, config, problems: this.problems, signal: this.context.signal };
    try {
      return await this.opened(this.at(METADATA_FILE), (source) => readMetadata({ ...walk, source }));
    } catch (error) {
      if (error instanceof FormatError) return null;
      throw error;
    }
  }

  private async walkOne(name: string, text: string): Promise<void> {
    // Names of a guest: nothing above the folder.
    const inside = !name.split('/').includes('..') && !name.startsWith('/');
    try {
      const config = parseFileConfig(text);
      const facts = inside ? await this.opened(this.at(name), (source) => this.walkOpened(name, config, source)) : null;
      if (facts) this.add(facts);
      else if (config.checkpoint !== null) this.missing(name);
      if (facts && facts.closed > 0)
        this.unknown(name, config.encrypted ? 'it is encrypted' : `pages of it are too large, or compressed by ${config.compressor || 'an unknown method'}`);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.unknown(name, error.message);
    }
  }

  private walkOpened(path: string, config: FileConfig, source: MappedSource): Promise<FileFacts> {
    this.context.progress({ stage: 'static', what: path, doneBytes: this.evidence.walked.bytes, totalBytes: null });
    return walkFile({ path, source, config, problems: this.problems, signal: this.context.signal });
  }

  private add(facts: FileFacts): void {
    for (const key of ['blocks', 'bytes', 'closed'] as const) this.evidence.walked[key] += facts[key];
  }

  private missing(name: string): void {
    this.evidence.missing.count++;
    if (this.evidence.missing.examples.length < MAX_LISTED) this.evidence.missing.examples.push(name);
  }

  private unknown(file: string, why: string): void {
    if (this.evidence.unknown.length < MAX_LISTED) this.evidence.unknown.push({ file, why });
  }

  private async walkLog(): Promise<JournalFacts | null> {
    const { files } = this.context.labs;
    const folder = await files.resolve(this.at('journal'));
    const listed = [...(folder ? await files.list(folder) : []), ...this.entries.values()];
    const logs = listed.flatMap(({ location, type }) => {
      const match = /\/WiredTigerLog\.(\d{1,10})$/.exec(location.path);
      return match && type === 'file' ? [{ number: Number(match[1]), location }] : [];
    });
    if (logs.length === 0) return null;
    const maps = await files.map(logs.map(({ location }) => location));
    const opened = logs.flatMap(({ number }, i) => {
      const map = maps[i];
      return map ? [{ number, source: new MappedSource(map) }] : [];
    });
    return walkJournal(opened, this.evidence.logLsn, this.context.signal).finally(() => Promise.all(opened.map(({ source }) => source.close())));
  }
}
