/** Reads the write-ahead log and the snapshots of one member of etcd. */
import { posix } from 'node:path';
import { crc32c } from '../../../src/bytes/crc32c.js';
import { MappedSource } from '../../../src/bytes/source.js';
import type { CheckContext } from '../../../src/check.js';
import { FormatError } from '../../../src/errors.js';
import type { ByteMap, DatabaseInstance, GuestEntry } from '../../../src/types.js';
import { storeOf } from '../applies.js';
import { parseMessage } from '../format/protobuf.js';
import { newWalState, type WalEnd, type WalState, walkWal } from '../format/wal.js';
import { scanStore } from '../structure/scan.js';

/** Plain JSON. */
export interface EtcdEvidence {
  volume: string;
  folder: string;
  wal: { path: string; sequence: number; firstIndex: number; sizeBytes: number; end: WalEnd | null }[];
  state: WalState;
  snapshots: { path: string; index: number; good: boolean }[];
  /** Raft index up to which the store holds the data; null: the store does not say. */
  consistentIndex: number | null;
  /** There is a folder for the log: else it was told to lie elsewhere. */
  hasWalFolder: boolean;
  more: number;
}

const WAL_NAME = /^([0-9a-f]{16})-([0-9a-f]{16})\.wal$/;
const SNAPSHOT_NAME = /^([0-9a-f]{16})-([0-9a-f]{16})\.snap$/;
const MAX_FILES = 1000;
const MAX_SNAPSHOT_BYTES = 256 * 1024 * 1024;

export async function scanEtcd(instance: DatabaseInstance, context: CheckContext<unknown>): Promise<EtcdEvidence> {
  const { volume, path } = instance.location;
  const store = await scanStore(storeOf(instance), context);
  const index = store.walk?.consistentIndex ?? null;
  const evidence: EtcdEvidence = {
    volume,
    folder: path,
    wal: [],
    state: newWalState(),
    snapshots: [],
    consistentIndex: index === null ? null : Number(index),
    hasWalFolder: false,
    more: 0,
  };
  await readWal(evidence, context);
  await readSnapshots(evidence, context);
  return evidence;
}

async function named(
  folder: string,
  volume: string,
  pattern: RegExp,
  context: CheckContext<unknown>,
): Promise<{ entries: GuestEntry[]; maps: (ByteMap | null)[]; more: number }> {
  const all = (await context.labs.files.list({ volume, path: folder })).filter(
    ({ type, location }) => type === 'file' && pattern.test(posix.basename(location.path)),
  );
  const entries = all.slice(-MAX_FILES);
  return { entries, maps: await context.labs.files.map(entries.map(({ location }) => location)), more: all.length - entries.length };
}

async function readWal(evidence: EtcdEvidence, context: CheckContext<unknown>): Promise<void> {
  const folder = await context.labs.files.resolve({ volume: evidence.volume, path: posix.join(evidence.folder, 'wal') });
  if (!folder) return;
  evidence.hasWalFolder = true;
  const { entries, maps, more } = await named(folder.path, folder.volume, WAL_NAME, context);
  evidence.more += more;
  for (const [i, { location, sizeBytes }] of entries.entries()) {
    const [, sequence = '0', index = '0'] = WAL_NAME.exec(posix.basename(location.path)) ?? [];
    const map = maps[i];
    const source = map ? new MappedSource(map) : null;
    const progress = (doneBytes: number) => context.progress({ stage: 'static', what: `etcd ${location.path}`, doneBytes, totalBytes: sizeBytes });
    const end = source && (await walkWal(source, evidence.state, context.signal, progress).finally(() => source.close()));
    evidence.wal.push({ path: location.path, sequence: Number.parseInt(sequence, 16), firstIndex: Number.parseInt(index, 16), sizeBytes, end });
    // The checksums of what follows continue from the last record.
    if (end?.kind !== 'whole') evidence.state.crc = null;
  }
}

async function readSnapshots(evidence: EtcdEvidence, context: CheckContext<unknown>): Promise<void> {
  const { entries, maps } = await named(posix.join(evidence.folder, 'snap'), evidence.volume, SNAPSHOT_NAME, context);
  for (const [i, { location }] of entries.entries()) {
    const map = maps[i];
    const index = Number.parseInt(SNAPSHOT_NAME.exec(posix.basename(location.path))?.[2] ?? '0', 16);
    evidence.snapshots.push({ path: location.path, index, good: map != null && (await isGood(map)) });
  }
}

/** {crc, data}: the CRC-32C of the data. */
async function isGood(map: ByteMap): Promise<boolean> {
  if (map.sizeBytes === 0 || map.sizeBytes > MAX_SNAPSHOT_BYTES) return false;
  const source = new MappedSource(map);
  try {
    const { numbers, bytes } = parseMessage(await source.read(0, map.sizeBytes));
    const data = bytes.get(2);
    return data !== undefined && BigInt(crc32c(data)) === (numbers.get(1) ?? 0n);
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  } finally {
    await source.close();
  }
}
