/** Strings as a hostile guest would choose them, and dossiers in which every string is one. */
import fc from 'fast-check';
import type { Dossier } from '../../../src/reporters/dossier.js';

/** Each would do something if it were not escaped. */
export const ATTACKS = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</title><script>alert(1)</script>',
  '</style><script>alert(1)</script>',
  '--><svg onload=alert(1)>',
  '<![CDATA[x]]>',
  'javascript:alert(1)',
  '&lt;b&gt;&amp;amp;',
  '\u202egnp.exe\u2066',
  '\u0000\u001b[31m\u009b',
  '$\u007balert(1)}`',
  '\ud800',
  '=cmd|" /C calc"!A0',
  'a\u2028b\u2029c\ufeff',
];

export const hostileText = (): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom(...ATTACKS),
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.tuple(fc.constantFrom(...ATTACKS), fc.string({ maxLength: 20 })).map(([a, b]) => b + a + b),
  );

/** Words that decide what is shown; anything else may be what it likes. */
const KEPT = new Set([
  'kind',
  'schema',
  'outcome',
  'verdict',
  'how',
  'state',
  'way',
  'accelerator',
  'severity',
  'startedAt',
  'finishedAt',
  'appendedAt',
  'observed',
  'declared',
  'decision',
  'sha256',
  'mediaType',
  'name',
]);

/** The same dossier with every free string made hostile, each in its turn. */
export function poisoned<D extends Dossier>(dossier: D, texts: readonly string[]): D {
  let turn = 0;
  const next = (): string => texts[turn++ % texts.length] ?? '';
  const walk = (value: unknown, name: string): unknown => {
    if (value instanceof Map) return new Map([...value].map(([key, one]) => [key, walk(one, '')]));
    if (value instanceof Uint8Array) return value;
    if (Array.isArray(value)) return value.map((one) => walk(one, name));
    if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, walk(one, key)]));
    return typeof value === 'string' && !KEPT.has(name) ? next() : value;
  };
  return walk(dossier, '') as D;
}
