import type { CheckTarget } from '../../../src/check.js';
import type { Finding, ImageLayer } from '../../../src/types.js';

/** What the header guard and the parsers found; nothing is read again. */
export interface CompletenessEvidence {
  refused: Finding | null;
  layers: ImageLayer[];
  internalSnapshots: number;
}

export function evidenceOf(target: CheckTarget): CompletenessEvidence {
  if (target.kind !== 'image') throw new TypeError(`not an image: ${target.id}`);
  const { refused, layers, internalSnapshots } = target.image;
  return { refused, layers, internalSnapshots: internalSnapshots.length };
}
