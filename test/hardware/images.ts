import type { SnapshotImage } from '../../src/types.js';

/** Images of these sizes, `disk0` first; nothing of them but their names and sizes. */
export function imagesOf(...sizes: number[]): SnapshotImage[] {
  return sizes.map((virtualSizeBytes, index) => ({
    name: `disk${index}`,
    format: 'qcow2',
    virtualSizeBytes,
    layers: [],
    internalSnapshots: [],
    refused: null,
  }));
}
