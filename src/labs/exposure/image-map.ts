/**
 * Where the bytes of a virtual disk lie in its files, as `qemu-img map --output=json` tells it.
 * Runs without a file offset (compressed clusters) are read through the block server instead.
 */
import { FormatError } from '../../errors.js';
import type { ByteMap, Extent, SourceSpec } from '../../types.js';

/** One run of `qemu-img map`; `depth` counts layers from the top, `offset` is into that layer's file. */
interface MapRun {
  start: number;
  length: number;
  depth: number;
  zero: boolean;
  data: boolean;
  offset?: number;
}

/**
 * @param text what qemu-img printed
 * @param layerPaths file of each layer, top first
 * @param server where to read what has no file offset
 */
export function parseImageMap(text: string, virtualSizeBytes: number, layerPaths: string[], server: SourceSpec): ByteMap {
  const sources: SourceSpec[] = [...layerPaths.map((path): SourceSpec => ({ kind: 'file', path })), server];
  const extents: Extent[] = [];
  let position = 0;
  for (const run of parseRuns(text)) {
    if (run.start !== position) throw mapError(`run at ${run.start} where ${position} was expected`);
    // The last run may reach to the end of a cluster, beyond the end of the disk.
    const lengthBytes = Math.min(run.length, virtualSizeBytes - position);
    if (lengthBytes > 0) extents.push({ ...toExtent(run, layerPaths.length), lengthBytes });
    position += run.length;
  }
  if (position < virtualSizeBytes) extents.push({ offset: position, lengthBytes: virtualSizeBytes - position, source: null, sourceOffset: 0 });
  return { sizeBytes: virtualSizeBytes, sources, extents };
}

function toExtent(run: MapRun, serverIndex: number): Extent {
  const place = { offset: run.start, lengthBytes: run.length };
  if (run.zero || !run.data) return { ...place, source: null, sourceOffset: 0 };
  if (run.offset === undefined || run.depth >= serverIndex) return { ...place, source: serverIndex, sourceOffset: run.start };
  return { ...place, source: run.depth, sourceOffset: run.offset };
}

function parseRuns(text: string): MapRun[] {
  let runs: unknown;
  try {
    runs = JSON.parse(text);
  } catch (cause) {
    throw mapError('no JSON', cause);
  }
  if (!Array.isArray(runs)) throw mapError('no list');
  return runs.map((run, i) => (isRun(run) ? run : fail(`entry ${i} is no run`)));
}

function isRun(run: unknown): run is MapRun {
  if (typeof run !== 'object' || run === null) return false;
  const { start, length, depth, offset = 0 } = run as Partial<MapRun>;
  return [start, length, depth, offset].every((value) => Number.isSafeInteger(value) && (value as number) >= 0) && length !== 0;
}

function fail(what: string): never {
  throw mapError(what);
}

function mapError(what: string, cause?: unknown): FormatError {
  return new FormatError({ code: 'exposure.map', message: `qemu-img map answered with something unexpected: ${what}`, cause });
}
