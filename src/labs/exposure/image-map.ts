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
    if (run.start !== position || run.length <= 0) throw mapError(`run at ${run.start} where ${position} was expected`);
    extents.push(toExtent(run, layerPaths.length));
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
  return runs as MapRun[];
}

function mapError(what: string, cause?: unknown): FormatError {
  return new FormatError({ code: 'exposure.map', message: `qemu-img map answered with something unexpected: ${what}`, cause });
}
