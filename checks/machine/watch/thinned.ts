/** Fewer looks that say the same. */
import type { Look } from '../../../src/ways.js';

const MOST_LOOKS = 240;
/** Screens are kept as pictures; here a little of their text is enough. */
const KEPT_TEXT = 4_000;

/** Evenly spread; the first and the last stay. Counters are sums, so what is left out between two looks is not lost; changes of memory are added up. */
export function thinned(looks: readonly Look[], most = MOST_LOOKS): Look[] {
  const step = Math.max(1, (looks.length - 1) / (most - 1));
  const places = new Set(Array.from({ length: Math.min(most, looks.length) }, (_, index) => Math.min(looks.length - 1, Math.round(index * step))));
  const kept: Look[] = [];
  let changed = 0;
  for (const [index, look] of looks.entries()) {
    changed += look.memory?.changed ?? 0;
    if (!places.has(index)) continue;
    kept.push({
      ...look,
      memory: look.memory && { ...look.memory, changed },
      screen: look.screen && { ...look.screen, text: look.screen.text?.slice(0, KEPT_TEXT) ?? null },
    });
    changed = 0;
  }
  return kept;
}
