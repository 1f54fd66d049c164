/** How far the log of a cluster has come on the disks, by the headers of its pages alone: what it can be told by in saved memory, too. */
import { BlockReader } from '../../../src/bytes/block-reader.js';
import type { ByteMap, DatabaseInstance, GuestFiles } from '../../../src/types.js';
import { readControl } from '../control.js';
import type { ControlFile } from '../format/control.js';
import { holdsLog, parseWalPage } from '../format/wal-page.js';
import { takeInventory, type WalSegment } from './inventory.js';

export interface LogEnd {
  control: ControlFile;
  /** Major version that wrote the log. */
  version: number;
  timeline: number;
  /** LSN of the first byte of the newest page that holds anything. */
  newestPage: number;
  /** Nothing orders log before data. */
  fsyncOff: boolean;
}

/** Header, and the beginning of what follows it. */
const START_BYTES = 64;

/** Null when there is no intact control file, or no log from its checkpoint on. @throws LabError where the guest's files cannot be read */
export async function readLogEnd(files: GuestFiles, instance: DatabaseInstance): Promise<LogEnd | null> {
  const head = await readControl(files, instance);
  if (head.control.kind !== 'ok') return null;
  const { control } = head.control;
  const inventory = await takeInventory(files, instance, control);
  const segment = inventory && newestSegment(inventory.segments, control);
  if (!segment || inventory.version === null) return null;
  const page = await newestPage(segment, control);
  return page && { control, version: inventory.version, ...page, fsyncOff: head.fsyncOff };
}

/** By what they hold: a recycled segment says an address of long ago. */
function newestSegment(segments: Map<number, WalSegment>, { redo, walSegmentBytes }: ControlFile): WalSegment | null {
  let newest: WalSegment | null = null;
  for (let start = redo - (redo % walSegmentBytes); segments.has(start); start += walSegmentBytes) newest = segments.get(start) ?? null;
  return newest;
}

/** Pages are written one after the other, so halves are tried. */
async function newestPage({ map, start }: WalSegment, { walPageBytes }: ControlFile): Promise<{ newestPage: number; timeline: number } | null> {
  const reader = new BlockReader();
  try {
    let found: { newestPage: number; timeline: number } | null = null;
    let [from, to] = [0, Math.floor(map.sizeBytes / walPageBytes) - 1];
    while (from <= to) {
      const middle = (from + to) >> 1;
      const timeline = await timelineOf(reader, map, middle * walPageBytes, start);
      if (timeline === null) to = middle - 1;
      else {
        found = { newestPage: start + middle * walPageBytes, timeline };
        from = middle + 1;
      }
    }
    return found;
  } finally {
    await reader.close();
  }
}

/** Null when the page there is not the one that belongs there, or is empty. */
async function timelineOf(reader: BlockReader, map: ByteMap, offset: number, start: number): Promise<number | null> {
  const bytes = Buffer.alloc(START_BYTES);
  await reader.read(map, offset, bytes, START_BYTES);
  const page = parseWalPage(bytes);
  return page && page.address === start + offset && holdsLog(page, bytes) ? page.timeline : null;
}
