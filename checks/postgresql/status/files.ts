/**
 * Files of fixed-size pages without headers that the server calls SLRU: pg_xact, pg_multixact, pg_commit_ts. 32 pages in a segment,
 * whose name is its number in hexadecimal (src/include/access/slru.h).
 */
import { posix } from 'node:path';
import type { BlockReader } from '../../../src/bytes/block-reader.js';
import type { ByteMap, DatabaseInstance, GuestFiles } from '../../../src/types.js';
import { inside } from '../cluster-files.js';

export const PAGES_PER_SEGMENT = 32;
/** More segments than all transaction numbers fill. */
const MAX_SEGMENTS = 100_000;
const CACHED_PAGES = 64;

export class StatusFiles {
  private readonly cache = new Map<number, Buffer>();

  private constructor(
    private readonly reader: BlockReader,
    readonly pageBytes: number,
    readonly segments: ReadonlyMap<number, ByteMap>,
    readonly exists: boolean,
  ) {}

  static async open(files: GuestFiles, instance: DatabaseInstance, folder: string, reader: BlockReader, pageBytes: number): Promise<StatusFiles> {
    const place = await files.resolve(inside(instance.location, folder));
    const entries = place ? await files.list(place) : [];
    const named = entries.filter(({ type, location }) => type === 'file' && /^([0-9A-F]{4,6}|[0-9A-F]{15})$/.test(posix.basename(location.path)));
    const maps = await files.map(named.slice(0, MAX_SEGMENTS).map((entry) => entry.location));
    const segments = new Map<number, ByteMap>();
    for (const [i, map] of maps.entries()) if (map) segments.set(Number.parseInt(posix.basename(named[i]?.location.path ?? ''), 16), map);
    return new StatusFiles(reader, pageBytes, segments, place !== null);
  }

  has(page: number): boolean {
    const map = this.segments.get(Math.floor(page / PAGES_PER_SEGMENT));
    return map !== undefined && map.sizeBytes >= ((page % PAGES_PER_SEGMENT) + 1) * this.pageBytes;
  }

  /** Null when there is no such page. The buffer is shared: it is not to be changed. */
  async page(page: number): Promise<Buffer | null> {
    const known = this.cache.get(page);
    if (known) return known;
    const map = this.segments.get(Math.floor(page / PAGES_PER_SEGMENT));
    if (!map || !this.has(page)) return null;
    const bytes = Buffer.alloc(this.pageBytes);
    await this.reader.read(map, (page % PAGES_PER_SEGMENT) * this.pageBytes, bytes, this.pageBytes);
    const oldest = this.cache.size >= CACHED_PAGES ? this.cache.keys().next().value : undefined;
    if (oldest !== undefined) this.cache.delete(oldest);
    this.cache.set(page, bytes);
    return bytes;
  }
}

/** `0003`, as the server names it. */
export function segmentFileName(page: number): string {
  return Math.floor(page / PAGES_PER_SEGMENT)
    .toString(16)
    .toUpperCase()
    .padStart(4, '0');
}
