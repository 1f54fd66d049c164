/** A throw-away copy of a data directory, read through maps straight from the images; holes stay holes. */
import { mkdir, open, statfs, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { BlockReader } from '../../bytes/block-reader.js';
import { LabError, NotTestedError } from '../../errors.js';
import type { ByteMap, GuestFiles } from '../../types.js';
import type { CopyPlan } from './plan-copy.js';

const BLOCK_BYTES = 2 * 1024 * 1024;
/** Files are mapped so many at a time: one question to the appliance each. */
const BATCH_FILES = 500;
/** What the engine itself writes while it recovers: its log, temporary files. */
const RESERVE_BYTES = 2 * 2 ** 30;

/** @throws NotTestedError when the copy would not fit on the disk of the work folder, or into the policy's limit. */
export async function assertRoom(folder: string, neededBytes: number, limitBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  const why =
    neededBytes > limitBytes
      ? `the policy allows ${limitBytes} bytes (limits.overlayBytes)`
      : neededBytes + RESERVE_BYTES > freeBytes
        ? `${freeBytes} bytes are free where temporary files lie (TMPDIR), and ${RESERVE_BYTES} are kept for the engine`
        : null;
  if (why === null) return;
  throw new NotTestedError({ code: 'engine.copy.room', message: `Recovery was not tried: the copy for the host's engine needs ${neededBytes} bytes; ${why}.` });
}

/** @param target an empty folder of the run; it and what is made in it is for the caller's user alone. @returns bytes really written. */
export async function copyPlanned(files: GuestFiles, plan: CopyPlan, target: string, signal: AbortSignal, onBytes: (done: number) => void): Promise<number> {
  for (const folder of plan.folders) await mkdir(join(target, folder), { mode: 0o700, recursive: true });
  for (const link of plan.links) await symlink(join(target, link.target), join(target, link.path));
  const reader = new BlockReader();
  const buffer = Buffer.alloc(BLOCK_BYTES);
  let written = 0;
  let done = 0;
  try {
    for (let first = 0; first < plan.files.length; first += BATCH_FILES) {
      const batch = plan.files.slice(first, first + BATCH_FILES);
      const maps = await files.map(batch.map(({ location }) => location));
      for (const [i, file] of batch.entries()) {
        signal.throwIfAborted();
        written += await copyFile(maps[i] ?? null, join(target, file.path), reader, buffer);
        done += file.sizeBytes;
        onBytes(done);
      }
    }
    return written;
  } finally {
    await reader.close();
  }
}

async function copyFile(map: ByteMap | null, path: string, reader: BlockReader, buffer: Buffer): Promise<number> {
  if (!map)
    throw new LabError({
      code: 'engine.copy.unreadable',
      message: `the data directory cannot be copied: ${path.split('/').slice(-3).join('/')} cannot be read`,
    });
  const file = await open(path, 'wx', 0o600);
  let written = 0;
  try {
    await file.truncate(map.sizeBytes);
    for (let offset = 0; offset < map.sizeBytes; offset += BLOCK_BYTES) {
      const length = Math.min(BLOCK_BYTES, map.sizeBytes - offset);
      await reader.read(map, offset, buffer, length);
      const block = buffer.subarray(0, length);
      if (isZero(block)) continue;
      for (let at = 0; at < length; ) at += (await file.write(block, at, length - at, offset + at)).bytesWritten;
      written += length;
    }
    return written;
  } finally {
    await file.close();
  }
}

const ZEROES = Buffer.alloc(BLOCK_BYTES);

function isZero(block: Buffer): boolean {
  return block.equals(ZEROES.subarray(0, block.length));
}
