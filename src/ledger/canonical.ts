/**
 * JSON Canonicalization Scheme (RFC 8785): one text for one value, so that a digest of it means something years later.
 * ECMAScript's own number and string serialisation is what the RFC prescribes; names are sorted by UTF-16 code units (sections 3.2.2 and 3.2.3).
 */

const MAX_DEPTH = 200;

/**
 * @returns the canonical text of a JSON value; members that are `undefined` are left out, as JSON.stringify does.
 * @throws TypeError for what has no canonical form: NaN, infinities, lone surrogates, functions, cycles.
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

function write(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) throw new TypeError(`JSON deeper than ${MAX_DEPTH} levels, or a cycle`);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return writeNumber(value);
  if (typeof value === 'string') return writeString(value);
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join(',')}]`;
  if (typeof value === 'object') return writeObject(value as Record<string, unknown>, depth);
  throw new TypeError(`JSON has no ${typeof value}`);
}

function writeNumber(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError(`JSON has no ${value}`);
  return JSON.stringify(value);
}

function writeString(value: string): string {
  if (hasLoneSurrogate(value)) throw new TypeError('a string holds half a surrogate pair');
  return JSON.stringify(value);
}

function writeObject(value: Record<string, unknown>, depth: number): string {
  const names = Object.keys(value)
    .filter((name) => value[name] !== undefined)
    .sort();
  return `{${names.map((name) => `${writeString(name)}:${write(value[name], depth + 1)}`).join(',')}}`;
}

/** With the `u` flag a paired surrogate is one code point, so only halves match. */
function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}

/** A copy in which every value has a canonical form: halves of surrogate pairs become U+FFFD, numbers that JSON lacks become null. */
export function plainJson<T>(value: T): T {
  const text = JSON.stringify(value, (_name, item: unknown) => (typeof item === 'string' ? wellFormed(item) : item));
  return JSON.parse(text, (_name, item: unknown) => renamed(item)) as T;
}

function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD');
}

function renamed(item: unknown): unknown {
  if (item === null || typeof item !== 'object' || Array.isArray(item)) return item;
  if (!Object.keys(item).some(hasLoneSurrogate)) return item;
  return Object.fromEntries(Object.entries(item).map(([name, member]) => [wellFormed(name), member]));
}
