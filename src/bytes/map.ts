/** Arithmetic on byte maps: a file's blocks on a volume, the volume's place on a disk, the disk's place in an image file. */
import type { ByteMap, Extent, SourceSpec } from '../types.js';
import { extentsWithin } from './source.js';

/** A map of `lengthBytes` zeroes. */
export function zeroMap(lengthBytes: number): ByteMap {
  return { sizeBytes: lengthBytes, sources: [], extents: lengthBytes ? [{ offset: 0, lengthBytes, source: null, sourceOffset: 0 }] : [] };
}

/** The whole of one source, as a map. */
export function wholeSource(spec: SourceSpec, sizeBytes: number): ByteMap {
  return { sizeBytes, sources: [spec], extents: sizeBytes ? [{ offset: 0, lengthBytes: sizeBytes, source: 0, sourceOffset: 0 }] : [] };
}

/** A part of a map as a map of its own. */
export function sliceMap(map: ByteMap, offset: number, lengthBytes: number): ByteMap {
  const extents = extentsWithin(map.extents, offset, lengthBytes).map((extent) => ({ ...extent, offset: extent.offset - offset }));
  return { sizeBytes: lengthBytes, sources: map.sources, extents: fillGaps(extents, lengthBytes) };
}

/** A run of the result: `lengthBytes` at `offset` are the bytes at `innerOffset` of `inner`; null means zeroes. */
export interface Placement {
  offset: number;
  lengthBytes: number;
  inner: ByteMap | null;
  innerOffset: number;
}

/** Resolves placements through their inner maps to the sources below. Gaps read as zeroes; neighbours that continue each other are joined. */
export function composeMap(sizeBytes: number, placements: Placement[]): ByteMap {
  const sources: SourceSpec[] = [];
  const indexOf = new Map<string, number>();
  const extents: Extent[] = [];
  let covered = 0;
  for (const whole of [...placements].sort((a, b) => a.offset - b.offset)) {
    const placement = after(whole, covered);
    const lengthBytes = Math.min(placement.lengthBytes, sizeBytes - placement.offset);
    if (lengthBytes <= 0) continue;
    covered = placement.offset + lengthBytes;
    if (!placement.inner) {
      pushExtent(extents, { offset: placement.offset, lengthBytes, source: null, sourceOffset: 0 });
      continue;
    }
    for (const part of extentsWithin(placement.inner.extents, placement.innerOffset, lengthBytes)) {
      const spec = part.source === null ? undefined : placement.inner.sources[part.source];
      pushExtent(extents, {
        offset: placement.offset + (part.offset - placement.innerOffset),
        lengthBytes: part.lengthBytes,
        source: spec ? internSource(spec, sources, indexOf) : null,
        sourceOffset: spec ? part.sourceOffset : 0,
      });
    }
  }
  return { sizeBytes, sources, extents: fillGaps(extents, sizeBytes) };
}

/** Placements come from a guest's file system and may overlap: what an earlier one covers is its own. */
function after(placement: Placement, covered: number): Placement {
  const cut = Math.max(0, covered - placement.offset);
  return {
    ...placement,
    offset: placement.offset + cut,
    lengthBytes: placement.lengthBytes - cut,
    innerOffset: placement.innerOffset + cut,
  };
}

function internSource(spec: SourceSpec, sources: SourceSpec[], indexOf: Map<string, number>): number {
  const key = JSON.stringify(spec);
  let index = indexOf.get(key);
  if (index === undefined) {
    index = sources.push(spec) - 1;
    indexOf.set(key, index);
  }
  return index;
}

function pushExtent(extents: Extent[], next: Extent): void {
  const last = extents.at(-1);
  const adjoins = last && last.offset + last.lengthBytes === next.offset && last.source === next.source;
  const continues = adjoins && (next.source === null || last.sourceOffset + last.lengthBytes === next.sourceOffset);
  if (continues) last.lengthBytes += next.lengthBytes;
  else extents.push({ ...next });
}

function fillGaps(extents: Extent[], sizeBytes: number): Extent[] {
  const filled: Extent[] = [];
  let position = 0;
  for (const extent of extents) {
    if (extent.offset > position) pushExtent(filled, { offset: position, lengthBytes: extent.offset - position, source: null, sourceOffset: 0 });
    pushExtent(filled, extent);
    position = extent.offset + extent.lengthBytes;
  }
  if (position < sizeBytes) pushExtent(filled, { offset: position, lengthBytes: sizeBytes - position, source: null, sourceOffset: 0 });
  return filled;
}
