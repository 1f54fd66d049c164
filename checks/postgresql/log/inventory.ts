/** The log segments there are, by what they hold and not by what they are called: recycled ones carry the names of the future. */
import { posix } from 'node:path';
import { BlockReader } from '../../../src/bytes/block-reader.js';
import type { ByteMap, DatabaseInstance, GuestFiles } from '../../../src/types.js';
import { resolvePart } from '../cluster-files.js';
import type { ControlFile } from '../format/control.js';
import { parseSegmentName } from '../format/names.js';
import { parseWalPage } from '../format/wal-page.js';

export interface WalSegment {
  name: string;
  /** LSN of its first byte, by its first page. */
  start: number;
  timeline: number;
  /** Whether name and contents agree; otherwise it was recycled and holds old log. */
  live: boolean;
  map: ByteMap;
}

export interface WalInventory {
  /** By `start`; where several hold the same place, the one of the highest timeline, and among those the live one. */
  segments: Map<number, WalSegment>;
  /** Files that do not begin with a page of log, by the `start` in their names. */
  blank: Map<number, ByteMap>;
  version: number | null;
  counts: { files: number; live: number; recycled: number; blank: number; short: number; otherCluster: number };
  /** Names of segments of another cluster, and of short ones; at most 20 each. */
  otherCluster: string[];
  short: string[];
}

const MAX_NAMES = 20;
/** First pages read side by side. */
const READ_AHEAD = 16;
const FIRST_BYTES = 40;

/** Null when the log's folder is not in the restore point. */
export async function takeInventory(files: GuestFiles, instance: DatabaseInstance, control: ControlFile): Promise<WalInventory | null> {
  const folder = await resolvePart(files, instance, 'pg_wal');
  if (!folder) return null;
  const entries = (await files.list(folder)).filter(
    (entry) => entry.type === 'file' && parseSegmentName(posix.basename(entry.location.path), control.walSegmentBytes),
  );
  const maps = await files.map(entries.map((entry) => entry.location));
  const inventory: WalInventory = {
    segments: new Map(),
    blank: new Map(),
    version: null,
    counts: { files: entries.length, live: 0, recycled: 0, blank: 0, short: 0, otherCluster: 0 },
    otherCluster: [],
    short: [],
  };
  const reader = new BlockReader();
  try {
    for (let first = 0; first < entries.length; first += READ_AHEAD) {
      const part = entries.slice(first, first + READ_AHEAD);
      const starts = await Promise.all(part.map((_entry, i) => readStart(reader, maps[first + i] ?? null)));
      for (const [i, { location }] of part.entries()) addSegment(inventory, posix.basename(location.path), maps[first + i] ?? null, starts[i] ?? null, control);
    }
  } finally {
    await reader.close();
  }
  return inventory;
}

async function readStart(reader: BlockReader, map: ByteMap | null): Promise<Buffer | null> {
  if (!map || map.sizeBytes < FIRST_BYTES) return null;
  const start = Buffer.alloc(FIRST_BYTES);
  await reader.read(map, 0, start, FIRST_BYTES);
  return start;
}

function addSegment(inventory: WalInventory, name: string, map: ByteMap | null, start: Buffer | null, control: ControlFile): void {
  const { counts } = inventory;
  if (map && map.sizeBytes < control.walSegmentBytes) {
    counts.short++;
    if (inventory.short.length < MAX_NAMES) inventory.short.push(name);
  }
  const page = start ? parseWalPage(start) : null;
  const named = parseSegmentName(name, control.walSegmentBytes);
  if (!map || !page?.long) {
    counts.blank++;
    if (map && named) inventory.blank.set(named.start, map);
    return;
  }
  if (page.long.systemId !== control.systemId) {
    counts.otherCluster++;
    if (inventory.otherCluster.length < MAX_NAMES) inventory.otherCluster.push(name);
    return;
  }
  const live = named?.start === page.address;
  counts[live ? 'live' : 'recycled']++;
  inventory.version ??= page.version;
  offer(inventory.segments, { name, start: page.address, timeline: named?.timeline ?? page.timeline, live, map });
}

function offer(segments: Map<number, WalSegment>, segment: WalSegment): void {
  const known = segments.get(segment.start);
  const better = !known || (segment.live && !known.live) || (segment.live === known.live && segment.timeline > known.timeline);
  if (better) segments.set(segment.start, segment);
}
