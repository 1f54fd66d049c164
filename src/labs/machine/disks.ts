/** The disks of one start: an overlay of its own over each disk as captured, or over an internal snapshot of it. */
import { join } from 'node:path';
import type { SnapshotImage } from '../../types.js';
import { type BlockNode, capturedNodes, overlayNodes } from '../exposure/block-nodes.js';
import { createOverlay } from '../exposure/overlay.js';
import type { SandboxSession } from '../sandbox/index.js';
import { findSnapshot, type ServedSnapshot, serveSnapshot } from './snapshot-server.js';

export interface MachineDisk {
  image: SnapshotImage;
  overlayPath: string;
  /** What lies below the overlay, when it is not the image's own active layer. */
  served: ServedSnapshot | null;
}

export interface DiskMaking {
  folder: string;
  sandbox: SandboxSession;
  /** Name or id of an internal snapshot. */
  snapshot: string | null;
  ending: (() => Promise<void> | void)[];
}

/** Makes the empty overlays, and starts the servers of snapshots. */
export function makeDisks(images: SnapshotImage[], making: DiskMaking, signal: AbortSignal): Promise<MachineDisk[]> {
  return Promise.all(images.map((image) => makeDisk(image, making, signal)));
}

async function makeDisk(image: SnapshotImage, making: DiskMaking, signal: AbortSignal): Promise<MachineDisk> {
  const { folder, sandbox, snapshot, ending } = making;
  const served = snapshot === null ? null : await serveSnapshot(image, findSnapshot(image, snapshot), folder, sandbox, signal);
  if (served) ending.push(() => served.server.kill());
  const overlayPath = join(folder, `${image.name}.qcow2`);
  const virtualSizeBytes = served?.sizeBytes ?? image.virtualSizeBytes;
  await createOverlay({ ...image, virtualSizeBytes }, overlayPath, sandbox, signal);
  return { image, overlayPath, served };
}

/** The nodes of a disk, lowest first. */
export function diskNodes({ image, overlayPath, served }: MachineDisk): BlockNode[] {
  const below = served === null ? capturedNodes(image) : [snapshotNode(image, served.socketPath)];
  return [...below, ...overlayNodes(image, overlayPath)];
}

function snapshotNode(image: SnapshotImage, path: string): BlockNode {
  return { driver: 'nbd', 'node-name': `${image.name}-l0`, server: { type: 'unix', path }, 'read-only': true };
}
