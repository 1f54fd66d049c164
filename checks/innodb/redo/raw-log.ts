/** The bytes of a redo log in the order of their LSNs, whatever way they are kept, and not judged: for those who look for the same bytes elsewhere. */
import type { BlockReader } from '../../../src/bytes/block-reader.js';
import { readGuestFile } from '../../../src/bytes/read-file.js';
import type { ByteMap, DatabaseInstance, GuestFiles } from '../../../src/types.js';
import { parseRedoHead, type RedoHead } from '../format/redo-head.js';
import { layOut } from './block-layout.js';
import { BLOCK } from './block-stream.js';
import { findLogFiles } from './log-files.js';
import { RING_AT, RingStream } from './ring.js';

export interface RawLog {
  /** `ring`: bytes without a frame, followed by their mini-transactions (MariaDB 10.8 and later). `blocks`: each of 512 bytes has a header. */
  form: 'ring' | 'blocks';
  /** LSN distance of one lap. */
  capacity: number;
  firstLsn: number;
  /** Of a ring. */
  stream: RingStream | null;
  /** LSN of the block of 512 bytes of the file in which an LSN lies. */
  blockOf(lsn: number): number;
  /** Fills `target` with whole blocks from the beginning of one on. What no file holds is zero. */
  read(lsn: number, target: Buffer): Promise<void>;
}

const HEAD_BYTES = 12288;

/** Null when its files do not allow it. */
export async function openRawLog(files: GuestFiles, instance: DatabaseInstance, blocks: BlockReader): Promise<RawLog | null> {
  const { entries } = await findLogFiles(files, instance);
  const [first] = entries;
  const bytes = first ? await readGuestFile(files, first.location, HEAD_BYTES) : null;
  const head = bytes ? parseRedoHead(bytes) : null;
  if (!bytes || !head) return null;
  const maps = await files.map(entries.map((entry) => entry.location));
  return head.format === 'mariadb-10.8' ? rawRing(maps, head, blocks) : rawBlocks(maps, head, bytes, blocks);
}

function rawRing([map]: (ByteMap | null)[], head: RedoHead, blocks: BlockReader): RawLog | null {
  if (!map || map.sizeBytes <= RING_AT || (map.sizeBytes - RING_AT) % BLOCK !== 0) return null;
  const stream = new RingStream(blocks, map, head.firstLsn, head.encrypted);
  const { capacity, firstLsn } = stream;
  return {
    ...{ form: 'ring', capacity, firstLsn, stream },
    blockOf: (lsn) => lsn - (((lsn - firstLsn) % capacity) % BLOCK),
    read: async (lsn, target) => void (await stream.read(lsn, target, target.length)),
  };
}

async function rawBlocks(maps: (ByteMap | null)[], head: RedoHead, firstBlocks: Buffer, blocks: BlockReader): Promise<RawLog | null> {
  const layout = await layOut({ maps, head, firstBlocks }, blocks);
  if ('why' in layout) return null;
  const read = async (from: number, target: Buffer) => {
    for (let done = 0; done < target.length; ) {
      const place = layout.place(from + done);
      const count = place ? Math.min(target.length - done, place.map.sizeBytes - place.offset) : BLOCK;
      const part = target.subarray(done, done + count);
      if (place) await blocks.read(place.map, place.offset, part, part.length);
      else part.fill(0);
      done += Math.max(count, BLOCK);
    }
  };
  return { form: 'blocks', capacity: layout.capacity, firstLsn: BLOCK, stream: null, blockOf: (lsn) => lsn - (lsn % BLOCK), read };
}
