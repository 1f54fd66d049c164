/**
 * A disk as it was at an internal snapshot: its own table of clusters, not that of the active layer. QEMU's block nodes have no
 * option for it, so a confined qemu-nbd serves it, read-only.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { NbdSource } from '../../bytes/nbd.js';
import { LabError } from '../../errors.js';
import type { InternalSnapshot, SnapshotImage } from '../../types.js';
import { devicePaths, layerPaths, nestedNode } from '../exposure/block-nodes.js';
import { awaitSocket } from '../sandbox/await-socket.js';
import type { ConfinedProcess, SandboxSession } from '../sandbox/index.js';

const START_TIMEOUT_MS = 20_000;

export interface ServedSnapshot {
  socketPath: string;
  /** Of the disk then. */
  sizeBytes: number;
  server: ConfinedProcess;
}

/** @param wanted name or id. @throws LabError when this disk has no such snapshot: then it is of another moment than the others. */
export function findSnapshot(image: SnapshotImage, wanted: string): InternalSnapshot {
  const found = image.internalSnapshots.find(({ id }) => id === wanted) ?? image.internalSnapshots.find(({ name }) => name === wanted);
  if (found) return found;
  const message = `${image.name} has no internal snapshot "${wanted}": as it is now it belongs to another moment than the saved memory.`;
  throw new LabError({ code: 'machine.snapshot', message, advice: 'Name the snapshot that all disks have.' });
}

/** Serves a disk at a snapshot, from a folder of its own, until it is killed. @throws LabError */
export async function serveSnapshot(
  image: SnapshotImage,
  snapshot: InternalSnapshot,
  folder: string,
  sandbox: SandboxSession,
  signal: AbortSignal,
): Promise<ServedSnapshot> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const socketPath = join(folder, `${image.name}.nbd`);
  const server = await sandbox.spawn({
    tool: 'qemu-nbd',
    args: nbdArguments(image, snapshot, socketPath),
    readable: layerPaths([image]),
    writable: [folder],
    devices: devicePaths([image]),
  });
  try {
    await awaitSocket(socketPath, server, { what: `the server of the snapshot "${snapshot.name}"`, timeoutMs: START_TIMEOUT_MS }, signal);
    return { socketPath, server, sizeBytes: await servedBytes(socketPath) };
  } catch (error) {
    await server.kill();
    throw error;
  }
}

/** A comma separates fields of the option; doubled, it stands for itself. */
export function nbdArguments(image: SnapshotImage, snapshot: InternalSnapshot, socketPath: string): string[] {
  const which = `snapshot.id=${snapshot.id.replaceAll(',', ',,')}`;
  return ['--read-only', '--persistent', '--shared=0', '--load-snapshot', which, '--socket', socketPath, `json:${JSON.stringify(nestedNode(image, null))}`];
}

async function servedBytes(socketPath: string): Promise<number> {
  const source = await NbdSource.open(socketPath, '');
  const { sizeBytes } = source;
  await source.close();
  return sizeBytes;
}
