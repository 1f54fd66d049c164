/** The files of each relation, found by its three numbers. */
import type { RelationEntry } from './cluster-files.js';

/** Numbers are places in the list of all relation files; -1: there is no such file. */
export interface RelationParts {
  main: number;
  /** Segments of the main fork after the first, in order. */
  later: number[];
  init: number;
  visibility: number;
  /** One of them, whichever. */
  other: number;
}

export class RelationIndex {
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
      parts = { main: -1, later: [], init: -1, visibility: -1, other: -1 };
      folder.set(entry.relation, parts);
    }
    return parts;
  }
}

function segmentOf(entries: RelationEntry[], place: number): number {
  return entries[place]?.segment ?? 0;
}
