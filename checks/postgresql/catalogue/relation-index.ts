/** The files of each relation, found by its three numbers. */
import type { RelationEntry } from '../cluster-files.js';

/** Numbers are places in the list of all relation files; -1: there is no such file. */
export interface RelationParts {
  main: number;
  /** Segments of the main fork after the first, in order. */
  later: number[];
  init: number;
  visibility: number;
  /** One of them, whichever. */
  other: number;
  /** A row of the catalogue that is in force names it. */
  inForce: boolean;
  /** What that row says of it; null where none does, or it is not logged. */
  known: KnownRelation | null;
}

export interface KnownRelation {
  /** As in pg_class: `r` a table, `i` an index, `t` TOAST, `m` a materialised view, `S` a sequence. */
  kind: string;
  /** Oid of its access method. */
  access: number;
  /** The log to be replayed neither makes nor removes its files: what is in them stays, unless the log says so of a block. */
  settled: boolean;
  /** Of an index: it is built, and all changes of its table are brought into it. Null: not known. */
  ready: boolean | null;
  /** Of a settled index whose table is settled. */
  table: RelationParts | null;
}

export class RelationIndex {
  /** Databases of which every row of pg_class was read; 0 are the shared catalogues. */
  readonly read = new Set<number>();
  /** Databases that were being removed: the server throws away what it has not written of them, long before it removes the files. */
  readonly leaving = new Set<number>();
  private readonly folders = new Map<string, Map<number, RelationParts>>();

  constructor(readonly entries: RelationEntry[]) {
    for (const [place, entry] of entries.entries()) if (!entry.temporary) this.add(place, entry);
    for (const folder of this.folders.values()) {
      for (const parts of folder.values()) parts.later.sort((a, b) => segmentOf(entries, a) - segmentOf(entries, b));
    }
  }

  find(tablespace: number, database: number, relation: number): RelationParts | undefined {
    return this.folders.get(`${tablespace}/${database}`)?.get(relation);
  }

  /** A file of a database that lies in its tablespace; null when there is none. */
  firstOf(tablespace: number, database: number): RelationEntry | null {
    const [parts] = this.folders.get(`${tablespace}/${database}`)?.values() ?? [];
    if (!parts) return null;
    return this.entries[parts.other] ?? null;
  }

  /**
   * Whether the catalogue was read and no row in force names it: it was being made or rewritten, or a crash left it. The server writes such
   * files past its buffers and before their log, which is right: nobody sees them unless the transaction commits.
   */
  isUnborn({ tablespace, database, relation }: RelationEntry): boolean {
    return this.read.has(database) && this.find(tablespace, database, relation)?.inForce === false;
  }

  /**
   * An index that is being built, although its row is in force (CREATE INDEX and REINDEX CONCURRENTLY): it is written as an unborn file is,
   * and no query looks at it.
   */
  isUnfinished({ tablespace, database, relation }: RelationEntry): boolean {
    const known = this.find(tablespace, database, relation)?.known;
    return this.read.has(database) && known?.kind === 'i' && known.ready === false;
  }

  /** Nothing that was read of the catalogue holds: the log does not tell which rows are in force. */
  distrust(): void {
    this.read.clear();
    this.leaving.clear();
  }

  /** Whole blocks before the first gap. */
  blocks(parts: RelationParts, pageBytes: number, segmentPages: number): number {
    let blocks = 0;
    for (const [i, place] of [parts.main, ...parts.later].entries()) {
      const entry = this.entries[place];
      if (!entry || entry.segment !== i) return blocks;
      blocks += Math.min(segmentPages, Math.floor(entry.sizeBytes / pageBytes));
      if (entry.sizeBytes < segmentPages * pageBytes) return blocks;
    }
    return blocks;
  }

  private add(place: number, entry: RelationEntry): void {
    const parts = this.parts(entry);
    parts.other = place;
    if (entry.fork === 'init') parts.init = place;
    else if (entry.fork === 'vm' && entry.segment === 0) parts.visibility = place;
    else if (entry.fork === 'main' && entry.segment === 0) parts.main = place;
    else if (entry.fork === 'main') parts.later.push(place);
  }

  private parts(entry: RelationEntry): RelationParts {
    const key = `${entry.tablespace}/${entry.database}`;
    let folder = this.folders.get(key);
    if (!folder) {
      folder = new Map();
      this.folders.set(key, folder);
    }
    let parts = folder.get(entry.relation);
    if (!parts) {
      parts = { main: -1, later: [], init: -1, visibility: -1, other: -1, inForce: false, known: null };
      folder.set(entry.relation, parts);
    }
    return parts;
  }
}

function segmentOf(entries: RelationEntry[], place: number): number {
  return entries[place]?.segment ?? 0;
}
