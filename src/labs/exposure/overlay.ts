/** The file of a throw-away overlay: an empty qcow2 image as large as the disk. It names no backing file: the graph says what lies below. */
import { dirname } from 'node:path';
import { LabError } from '../../errors.js';
import type { SnapshotImage } from '../../types.js';
import type { Sandbox } from '../lab.js';

const TIMEOUT_MS = 20_000;
const SECTOR_BYTES = 512;

/** @throws LabError with the tool's own words */
export async function createOverlay(image: SnapshotImage, path: string, sandbox: Sandbox, signal: AbortSignal): Promise<void> {
  const sizeBytes = Math.ceil(image.virtualSizeBytes / SECTOR_BYTES) * SECTOR_BYTES;
  const args = ['create', '-q', '-f', 'qcow2', path, String(sizeBytes)];
  const result = await sandbox.run({ tool: 'qemu-img', args, writable: [dirname(path)], timeoutMs: TIMEOUT_MS }, signal);
  if (result.exitCode !== 0) throw new LabError({ code: 'exposure.overlay', message: `cannot make the overlay of ${image.name}: ${result.stderr.trim()}` });
}
