/**
 * Looks for valid records after the end of the log, in pages that say of themselves that they belong there.
 * The server never writes such before the log in between, so they prove a hole.
 */
import type { LogChunks } from './chunks.js';
import type { WalInventory } from './inventory.js';
import { type WalGeometry, WalReader } from './reader.js';

export interface Beyond {
  first: number;
  last: number;
  records: number;
  /** Of segments in which nothing was looked for: there were too many. */
  unsearchedBytes: number;
}

/** A server keeps a few segments ahead: more than this behind the end is looked into at its beginning and at its end only. */
const SEARCH = { firstBytes: 1024 ** 3, lastBytes: 512 * 1024 ** 2, afterFoundBytes: 256 * 1024 ** 2 };

export async function lookBeyond(chunks: LogChunks, inventory: WalInventory, geometry: WalGeometry, ended: WalReader): Promise<Beyond> {
  const search = new Search(chunks, geometry, ended);
  const { segmentBytes } = geometry;
  const starts = [...inventory.segments.values()]
    .filter((segment) => segment.live && segment.start + segmentBytes > ended.position)
    .map(({ start }) => start)
    .sort((a, b) => a - b);
  const next = await search.first(starts);
  const last = Math.max(next, starts.length - Math.ceil(SEARCH.lastBytes / segmentBytes));
  for (const start of starts.slice(last)) await search.segment(start);
  return { ...search.found, unsearchedBytes: (last - next) * segmentBytes };
}

class Search {
  readonly found = { first: 0, last: 0, records: 0 };
  private leftBytes = SEARCH.firstBytes;

  constructor(
    private readonly chunks: LogChunks,
    private readonly geometry: WalGeometry,
    private readonly ended: WalReader,
  ) {}

  /** Searches segments from the first on, as many as are worth it. Gives how many. */
  async first(starts: number[]): Promise<number> {
    let next = 0;
    for (; next < starts.length && this.leftBytes > 0; next++) {
      const before = this.found.records;
      await this.segment(starts[next] as number);
      if (before === 0 && this.found.records > 0) this.leftBytes = Math.min(this.leftBytes, SEARCH.afterFoundBytes);
    }
    return next;
  }

  async segment(start: number): Promise<void> {
    const { segmentBytes, pageBytes } = this.geometry;
    const { position } = this.ended;
    let reader = this.resynchronise();
    const from = Math.max(start, position - (position % pageBytes) + pageBytes);
    await this.chunks.each(from, start + segmentBytes, (bytes, count, address) => {
      this.leftBytes -= count;
      for (let at = 0; at + pageBytes <= count; at += pageBytes) {
        if (!reader.feed(bytes, at, address + at)) reader = this.resynchronise();
      }
      return true;
    });
  }

  private resynchronise(): WalReader {
    const { found, ended } = this;
    const geometry = { ...this.geometry, version: ended.version, leastTimeline: ended.timeline };
    return new WalReader(geometry, ended.position, true, (record) => {
      if (found.records === 0) found.first = record.start;
      found.last = record.start;
      found.records++;
      return true;
    });
  }
}
