/**
 * Walks keys and values from the root. Every cell met must be allocated, long enough for what it holds, and met once.
 * Source: Maxim Suhanov, "Windows registry file format specification", section "Cell".
 */
import type { Problems } from '../../src/bytes/problems.js';
import { type CellMap, UnitSet } from './cells.js';

const NONE = 0xffffffff;
const SEGMENT_BYTES = 16_344;
const MAX_PROBLEMS = 1000;
const KEY_HEAD = 76;
const VALUE_HEAD = 20;
const ASCII_NAME = 0x20;

export interface TreeFacts {
  keys: number;
  values: number;
  /** Of allocated cells, those that were met. */
  reachedBytes: number;
}

interface Pending {
  cell: number;
  parent: number;
  /** Of the list that names it; null where there is none. */
  hash: number | null;
}

export class TreeWalk {
  readonly facts: TreeFacts = { keys: 0, values: 0, reachedBytes: 0 };
  private readonly met: UnitSet;
  private readonly security = new Set<number>();
  private readonly pending: Pending[] = [];
  private found = 0;
  private key = '';

  constructor(
    private readonly bins: Buffer,
    private readonly cells: CellMap,
    private readonly minor: number,
    private readonly problems: Problems,
    private readonly file: string,
  ) {
    this.met = new UnitSet(bins.length);
  }

  walk(root: number): void {
    this.pending.push({ cell: root, parent: NONE, hash: null });
    for (let next = this.pending.pop(); next && this.found < MAX_PROBLEMS; next = this.pending.pop()) this.visitKey(next);
  }

  private damaged(code: string, cell: number, what: string): null {
    this.found++;
    const key = this.key === '' ? '' : ` of key ${this.key}`;
    this.problems.damaged(`registry.${code}`, `The cell at ${cell}${key} ${what}.`, { file: this.file, offset: cell });
    return null;
  }

  /** Data of an allocated cell of at least `least` bytes, which nothing else uses. */
  private claim(cell: number, least: number, what: string, shared = false): Buffer | null {
    if (cell % 8 !== 0 || cell + 8 > this.bins.length || !this.cells.allocated.has(cell))
      return this.damaged('reference', cell, `should hold ${what}, and is no allocated cell`);
    const length = -this.bins.readInt32LE(cell);
    const known = this.met.has(cell);
    if (known && !shared) return this.damaged('used-twice', cell, `is used as ${what}, and by something else`);
    if (!known) this.facts.reachedBytes += length;
    this.met.add(cell);
    if (length - 4 < least) return this.damaged('cell-short', cell, `is too short for ${what}`);
    return this.bins.subarray(cell + 4, cell + length);
  }

  private visitKey({ cell, parent, hash }: Pending): void {
    const data = this.claim(cell, KEY_HEAD, 'a key');
    if (!data) return;
    if (data.toString('latin1', 0, 2) !== 'nk') {
      this.damaged('key', cell, 'should hold a key, and does not');
      return;
    }
    this.facts.keys++;
    const nameBytes = data.readUInt16LE(72);
    if (KEY_HEAD + nameBytes > data.length) {
      this.damaged('key', cell, 'holds a key whose name is longer than the cell');
      return;
    }
    const ascii = (data.readUInt16LE(2) & ASCII_NAME) !== 0;
    this.key = data.toString(ascii ? 'latin1' : 'utf16le', KEY_HEAD, KEY_HEAD + nameBytes).slice(0, 100);
    if (parent !== NONE && data.readUInt32LE(16) !== parent) this.damaged('key', cell, 'names another key as its parent than the one that lists it');
    if (hash !== null && hashOf(this.key, nameBytes, ascii) !== null && hashOf(this.key, nameBytes, ascii) !== hash) {
      this.damaged('key', cell, 'bears another name than the one under which it is listed');
    }
    this.visitParts(cell, data);
  }

  private visitParts(cell: number, data: Buffer): void {
    const subkeys = data.readUInt32LE(20);
    if (subkeys > 0) {
      const listed = this.visitList(data.readUInt32LE(28), cell, true);
      if (listed !== null && listed !== subkeys) this.damaged('key', cell, `says it has ${subkeys} subkeys, and ${listed} are listed`);
    }
    const values = data.readUInt32LE(36);
    if (values > 0) this.visitValues(data.readUInt32LE(40), values);
    const security = data.readUInt32LE(44);
    if (security !== NONE && !this.security.has(security)) this.visitSecurity(security);
    const classBytes = data.readUInt16LE(74);
    if (classBytes > 0 && data.readUInt32LE(48) !== NONE) this.claim(data.readUInt32LE(48), classBytes, 'the class of a key', true);
  }

  /** How many keys a list names, which are left pending; null when that cannot be told. */
  private visitList(list: number, owner: number, mayNest: boolean): number | null {
    const data = this.claim(list, 4, 'a list of subkeys');
    if (!data) return null;
    const kind = data.toString('latin1', 0, 2);
    const count = data.readUInt16LE(2);
    const width = kind === 'lf' || kind === 'lh' ? 8 : 4;
    const known = ['lf', 'lh', 'li'].includes(kind) || (kind === 'ri' && mayNest);
    if (!known) return this.damaged('list', list, 'should hold a list of subkeys, and does not');
    if (4 + width * count > data.length) return this.damaged('list', list, 'holds a list that is longer than the cell');
    let total: number | null = 0;
    for (let i = 0; i < count; i++) {
      const cell = data.readUInt32LE(4 + width * i);
      if (kind === 'ri') {
        const nested = this.visitList(cell, owner, false);
        total = total === null || nested === null ? null : total + nested;
        continue;
      }
      this.pending.push({ cell, parent: owner, hash: kind === 'lh' ? data.readUInt32LE(8 + width * i) : null });
      if (total !== null) total++;
    }
    return total;
  }

  private visitValues(list: number, count: number): void {
    const data = this.claim(list, 4 * Math.min(count, this.bins.length), 'a list of values');
    for (let i = 0; data && i < count; i++) this.visitValue(data.readUInt32LE(4 * i));
  }

  private visitValue(cell: number): void {
    const data = this.claim(cell, VALUE_HEAD, 'a value');
    if (!data) return;
    if (data.toString('latin1', 0, 2) !== 'vk' || VALUE_HEAD + data.readUInt16LE(2) > data.length) {
      this.damaged('value', cell, 'should hold a value, and does not');
      return;
    }
    this.facts.values++;
    const size = data.readUInt32LE(4);
    // The highest bit: up to four bytes lie in the place of the offset.
    if (size === 0 || size >= 0x80000000) return;
    const place = data.readUInt32LE(8);
    if (size > SEGMENT_BYTES && this.minor > 3) this.visitBigData(place, size);
    else this.claim(place, size, 'the data of a value');
  }

  private visitBigData(cell: number, size: number): void {
    const data = this.claim(cell, 8, 'big data');
    if (!data) return;
    const count = data.readUInt16LE(2);
    if (data.toString('latin1', 0, 2) !== 'db' || count * SEGMENT_BYTES < size) {
      this.damaged('value', cell, `should hold ${size} bytes of big data, and does not`);
      return;
    }
    const list = this.claim(data.readUInt32LE(4), 4 * count, 'a list of segments');
    for (let i = 0, left = size; list && i < count && left > 0; i++, left -= SEGMENT_BYTES) {
      this.claim(list.readUInt32LE(4 * i), Math.min(left, SEGMENT_BYTES), 'a segment of data');
    }
  }

  private visitSecurity(cell: number): void {
    this.security.add(cell);
    const data = this.claim(cell, 20, 'a security descriptor', true);
    if (!data) return;
    if (data.toString('latin1', 0, 2) !== 'sk' || 20 + data.readUInt32LE(16) > data.length) {
      this.damaged('security', cell, 'should hold a security descriptor, and does not');
    }
  }
}

/** Of names whose upper case is beyond doubt; null for others. */
function hashOf(name: string, nameBytes: number, ascii: boolean): number | null {
  if (!/^[\x20-\x7e]*$/.test(name) || name.length !== (ascii ? nameBytes : nameBytes / 2)) return null;
  let hash = 0;
  for (const letter of name.toUpperCase()) hash = (Math.imul(hash, 37) + letter.charCodeAt(0)) >>> 0;
  return hash;
}
