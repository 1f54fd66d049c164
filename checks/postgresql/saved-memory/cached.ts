/** What of a cluster stands in saved memory, wherever it stands: pages of its log, and copies of its control file. No operating system needs to be known for it. */
import type { GuestRam } from '../../../src/ways.js';
import { type ControlFile, parseControl } from '../format/control.js';
import { holdsLog, parseWalPage, WAL_MAGICS } from '../format/wal-page.js';

/** What is needed of a control file. */
export type CachedControl = Pick<ControlFile, 'checkpoint' | 'writtenAt'>;

export interface CachedCluster {
  /** The newest copy; null: there is none. */
  control: CachedControl | null;
  /** Address of the newest page of log that holds anything, of the same version and timeline: only the first page of a segment names its cluster. Null: there is none. */
  newestPage: number | null;
  /** How many there are. */
  pages: number;
}

/** Both begin a page of memory: that of a file, or of the server's buffers. */
const PAGE_BYTES = 4096;
const CONTROL_BYTES = 512;
/** Flags of a log page, above its mark. */
const FLAGS = 16;

export async function findCached(
  ram: GuestRam,
  { version, timeline, systemId }: { version: number; timeline: number; systemId: string },
  signal: AbortSignal,
): Promise<CachedCluster> {
  const found: CachedCluster = { control: null, newestPage: null, pages: 0 };
  const magic = Object.keys(WAL_MAGICS).find((key) => WAL_MAGICS[Number(key)] === version);
  const controlMark = Number(BigInt(systemId) & 0xffff_ffffn);
  for await (const { bytes } of ram.pages(signal)) {
    signal.throwIfAborted();
    for (let at = 0; at + PAGE_BYTES <= bytes.length; at += PAGE_BYTES) {
      const mark = bytes.readUInt32LE(at);
      if (mark === controlMark) noteControl(found, bytes.subarray(at, at + CONTROL_BYTES), systemId);
      else if ((mark & 0xffff) === Number(magic) && mark >>> 16 < FLAGS) noteLog(found, bytes.subarray(at, at + PAGE_BYTES), { version, timeline, systemId });
    }
  }
  return found;
}

function noteLog(found: CachedCluster, bytes: Buffer, wanted: { version: number; timeline: number; systemId: string }): void {
  const page = parseWalPage(bytes);
  if (!page || page.version !== wanted.version || page.timeline !== wanted.timeline || !holdsLog(page, bytes)) return;
  if (page.long && page.long.systemId !== wanted.systemId) return;
  found.pages++;
  found.newestPage = Math.max(found.newestPage ?? 0, page.address);
}

function noteControl(found: CachedCluster, bytes: Buffer, systemId: string): void {
  const result = parseControl(bytes);
  if (result.kind !== 'ok' || result.control.systemId !== systemId) return;
  const { checkpoint, writtenAt } = result.control;
  const { control } = found;
  const isNewer = !control || checkpoint > control.checkpoint || (checkpoint === control.checkpoint && writtenAt > control.writtenAt);
  if (isNewer) found.control = { checkpoint, writtenAt };
}
