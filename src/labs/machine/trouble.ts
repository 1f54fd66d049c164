/** Which of QEMU's errors on disks are no doing of the guest. Events: qapi/block-core.json. */
import type { MachineTrouble } from '../lab.js';
import type { QmpEvent } from './qmp.js';

/** @param overlayBytes the largest that an overlay may be. Null: this event is no trouble. */
export function troubleOf({ event, data }: QmpEvent, overlayBytes: number): MachineTrouble | null {
  if (event === 'BLOCK_IMAGE_CORRUPTED') return captured(diskOf(data), `its image contradicts itself: ${String(data.msg)}`);
  if (event !== 'BLOCK_IO_ERROR') return null;
  const disk = diskOf(data);
  if (data.operation !== 'write') return captured(disk, `QEMU could not read it: ${String(data.reason)}`);
  if (data.reason === 'File too large') return beyondLimit(disk, overlayBytes);
  return { kind: 'host-disk', disk, message: `This host could not store what the guest wrote to ${disk}: ${String(data.reason)}.` };
}

export function beyondLimit(disk: string, overlayBytes: number): MachineTrouble {
  const message = `The guest wrote more to ${disk} than the overlay may hold (${overlayBytes} bytes, the policy's limits.overlayBytes).`;
  return { kind: 'overlay-limit', disk, message };
}

function captured(disk: string, what: string): MachineTrouble {
  return { kind: 'captured-disk', disk, message: `The disk ${disk} of the restore point cannot be used as captured: ${what}.` };
}

/** Nodes are called `disk0-overlay`, `disk0-l0`, `disk0-l1-file`. */
function diskOf(data: Record<string, unknown>): string {
  return String(data['node-name'] ?? '').replace(/-(overlay|l\d+)(-file)?$/, '');
}
