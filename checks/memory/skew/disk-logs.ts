/** How far the log of each file system had come on the disks, as captured. */
import { MappedSource } from '../../../src/bytes/source.js';
import { volumeMap } from '../../../src/bytes/volume-map.js';
import type { CheckContext } from '../../../src/check.js';
import type { ByteSource, Volume } from '../../../src/types.js';
import { readBtrfsSuperblock, SUPERBLOCK_OFFSETS } from '../../../src/volumes/btrfs/superblock.js';
import { type JournalPosition, readJournalPosition } from '../../../src/volumes/ext/journal-position.js';
import { readXfsLogPosition, type XfsLogPosition } from '../../../src/volumes/xfs/log-position.js';

export type DiskLogPosition =
  | ({ kind: 'jbd2' } & JournalPosition)
  | ({ kind: 'xfs' } & XfsLogPosition)
  | { kind: 'btrfs'; generation: number; logRoot: number; offset: number };

export interface DiskLog {
  volume: string;
  /** The disk on which the log lies: what is proven of the log is proven of this disk. */
  disk: string | null;
  type: string;
  uuid: string | null;
  /** Null: `why` says so. */
  position: DiskLogPosition | null;
  why: string;
}

/** Of every volume with a file system. */
export async function readDiskLogs({ inspection, labs, signal }: CheckContext<unknown>): Promise<DiskLog[]> {
  const logs: DiskLog[] = [];
  for (const volume of inspection.volumes) {
    signal.throwIfAborted();
    if (volume.content.kind !== 'filesystem') continue;
    const { type, uuid } = volume.content;
    const base = { volume: volume.id, disk: diskAt(volume, 0), type, uuid };
    const map = await volumeMap(volume, labs.exposure, 'captured');
    if (!map) {
      logs.push({ ...base, position: null, why: 'it has no plain place on the disks' });
      continue;
    }
    const source = new MappedSource(map);
    try {
      const position = await positionOf(source, type);
      const why = position ? '' : READERS[type] ? 'its log lies elsewhere or cannot be read' : `a ${type} keeps no log that could be held against memory`;
      logs.push({ ...base, disk: diskAt(volume, position?.offset ?? 0), position, why });
    } finally {
      await source.close();
    }
  }
  return logs;
}

type Reader = (source: ByteSource) => Promise<DiskLogPosition | null>;

const readJournal: Reader = async (source) => {
  const position = await readJournalPosition(source);
  return position && { kind: 'jbd2', ...position };
};

const READERS: Partial<Record<string, Reader>> = {
  ext3: readJournal,
  ext4: readJournal,
  xfs: async (source) => {
    const position = await readXfsLogPosition(source);
    return position && { kind: 'xfs', ...position };
  },
  btrfs: async (source) => {
    const [offset = 0] = SUPERBLOCK_OFFSETS;
    const superblock = await readBtrfsSuperblock(source, offset);
    return superblock && superblock.checksumValid !== false ? { kind: 'btrfs', generation: superblock.generation, logRoot: superblock.logRoot, offset } : null;
  },
};

async function positionOf(source: ByteSource, type: string): Promise<DiskLogPosition | null> {
  return (await READERS[type]?.(source)) ?? null;
}

function diskAt({ placement }: Volume, offset: number): string | null {
  return placement?.find((segment) => offset >= segment.offset && offset < segment.offset + segment.lengthBytes)?.disk ?? null;
}

/** Disks on which more lies than boot code. */
export function disksWithData(volumes: Volume[]): string[] {
  const holding = volumes.filter(({ content }) => content.kind !== 'empty' && content.kind !== 'boot-code');
  return [...new Set(holding.flatMap(({ placement }) => placement?.map(({ disk }) => disk) ?? []))];
}
