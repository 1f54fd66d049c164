/** Where in a policy something stands, and how it is said that it is wrong there. */
import { UsageError } from '../../errors.js';
import type { ParsedText } from '../../schema/document.js';

export interface Place {
  file: string;
  text: ParsedText;
}

/** The one field of several that is there. @throws UsageError when there is none or more than one. */
export function onlyOne<K extends string>(value: Partial<Record<K, unknown>>, keys: readonly K[], at: (string | number)[], place: Place): K {
  const [first, second] = keys.filter((key) => value[key] !== undefined);
  if (first && !second) return first;
  throw wrong(place, at, first ? `"${first}" and "${second}" do not go together: write two entries` : `it needs one of ${keys.join(', ')}`);
}

export function wrong(place: Place, at: (string | number)[], message: string): UsageError {
  return new UsageError({ code: 'drill-policy.invalid', message: `${place.file}, line ${place.text.lineOf(at)}: ${message}` });
}
