/** What a machine that was brought back left on its disks: verified like a restore point, and told apart from it in the record. */
import type { CheckResult, SnapshotImage } from '../types.js';
import type { Way } from '../ways.js';

/** Ways are independent: a `boot` that damages its disks says nothing against a `resume`. */
export function afterwardsOf(way: Way, target: string): string {
  return `${target} after ${way === 'boot' ? 'the boot' : 'the resume'}`;
}

/** The same disks with the machine's own overlays on top. */
export function withOverlays(images: SnapshotImage[], overlays: { disk: string; path: string }[]): SnapshotImage[] {
  return images.map((image) => {
    const overlay = overlays.find(({ disk }) => disk === image.name);
    const [top] = image.layers;
    if (!overlay || !top) return image;
    const sizes = { sizeBytes: 0, virtualSizeBytes: image.virtualSizeBytes, promisedBytes: 0 };
    return {
      ...image,
      format: 'qcow2',
      internalSnapshots: [],
      layers: [{ ...sizes, path: overlay.path, format: 'qcow2', backingPath: top.path, details: {} }, ...image.layers],
    };
  });
}

/**
 * Results about the state after a way back. They say nothing of the capture: not how consistent it was, what its recovery costs, nor
 * in which state its databases were. A failure counts in full: a machine that damages its disks on the way does not come back.
 */
export function resultsAfter(way: Way, results: CheckResult[]): CheckResult[] {
  const retold = (what: string): string => afterwardsOf(way, what);
  return results
    .filter(({ outcome }) => outcome !== 'skip')
    .map((result) => ({
      ...result,
      ...{ target: retold(result.target), consistency: null, recovery: null, instanceState: null },
      tested: result.tested.map(({ what, how }) => ({ what: retold(what), how })),
      untested: result.untested.map((item) => ({ ...item, what: retold(item.what) })),
      advice: result.outcome === 'fail' ? ADVICE : result.advice,
    }));
}

const ADVICE =
  'The machine comes back and damages its data on the way. Restore an earlier restore point, and see whether memory and disks of this one were captured at the same instant.';
