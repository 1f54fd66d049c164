/**
 * Tables that InnoDB's own dictionary names, read from the leaves of SYS_TABLES in the system tablespace: so that a file that is gone
 * is missed even when the redo log does not speak of it. MariaDB, and MySQL up to 5.7.
 * Sources: storage/innobase/include/dict0boot.h (DICT_HDR), dict0load.h (fields of SYS_TABLES), page0page.h, rem0rec.h (ROW_FORMAT=REDUNDANT).
 */
import { BlockReader } from '../../../src/bytes/block-reader.js';
import { PAGE, TYPE } from '../format/page.js';
import type { Tablespace } from './tablespaces.js';

export interface NamedTable {
  /** `shop/orders`, as the dictionary writes it. */
  name: string;
  space: number;
}

const HEADER_PAGE = 7;
const ROOT_AT = 38 + 32;
const LEVEL_AT = 38 + 26;
const INFIMUM = 101;
const SUPREMUM = 116;
const MAX_TABLES = 1_000_000;
const MAX_DEPTH = 10;
const DELETED = 0x20;
const NAME = 0;
const CHILD = 1;
const FLAGS = 7;
const SPACE = 9;
/** Of the flags: a temporary table, or one whose tablespace was discarded on purpose. */
const WITHOUT_FILE = 1 | 32;

/** Empty when the dictionary cannot be followed: damage of its pages is found by the page pass. */
export async function readDictionary(spaces: Tablespace[]): Promise<NamedTable[]> {
  const system = spaces.find((space) => space.file.kind === 'system' && space.firstPage === 0);
  if (!system || system.flags.zip) return [];
  const reader = new BlockReader();
  try {
    return await new Dictionary(reader, system).tables();
  } finally {
    await reader.close();
  }
}

class Dictionary {
  private readonly page: Buffer;

  constructor(
    private readonly reader: BlockReader,
    private readonly system: Tablespace,
  ) {
    this.page = Buffer.alloc(system.flags.pageBytes);
  }

  async tables(): Promise<NamedTable[]> {
    if (!(await this.load(HEADER_PAGE))) return [];
    const first = await this.leftmostLeaf(this.page.readUInt32BE(ROOT_AT));
    const found: NamedTable[] = [];
    const seen = new Set<number>();
    for (let number = first; number !== null && !seen.has(number) && found.length < MAX_TABLES; ) {
      seen.add(number);
      if (!(await this.loadIndex(number))) break;
      for (const fields of this.records()) found.push(...tableOf(this.page, fields));
      const next = this.page.readUInt32BE(PAGE.next);
      number = next === 0xffffffff ? null : next;
    }
    return found;
  }

  private async leftmostLeaf(root: number): Promise<number | null> {
    let number = root;
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      if (!(await this.loadIndex(number))) return null;
      if (this.page.readUInt16BE(LEVEL_AT) === 0) return number;
      const [fields] = this.records();
      const child = fields?.[CHILD];
      if (!child || child.to - child.from !== 4) return null;
      number = this.page.readUInt32BE(child.from);
    }
    return null;
  }

  private async load(number: number): Promise<boolean> {
    const { pageBytes } = this.system.flags;
    if ((number + 1) * pageBytes > this.system.map.sizeBytes) return false;
    await this.reader.read(this.system.map, number * pageBytes, this.page, pageBytes);
    return this.page.readUInt32BE(PAGE.number) === number;
  }

  private async loadIndex(number: number): Promise<boolean> {
    return (await this.load(number)) && this.page.readUInt16BE(PAGE.type) === TYPE.index;
  }

  /** Fields of the records of the page in order, those marked as deleted left out. */
  private *records(): Generator<Field[]> {
    const seen = new Set<number>();
    for (let at = this.next(INFIMUM); at > SUPREMUM && at < this.page.length && !seen.has(at); at = this.next(at)) {
      seen.add(at);
      const deleted = ((this.page[at - 6] as number) & DELETED) !== 0;
      const fields = deleted ? null : fieldsOf(this.page, at);
      if (fields) yield fields;
    }
  }

  private next(record: number): number {
    return this.page.readUInt16BE(record - 2);
  }
}

interface Field {
  from: number;
  to: number;
}

/** Where each field lies: their ends stand before the record, backwards, in one or two bytes each. The highest bits are flags. */
function fieldsOf(page: Buffer, at: number): Field[] | null {
  const count = (page.readUInt16BE(at - 4) >> 1) & 0x3ff;
  const wide = ((page[at - 3] as number) & 1) === 0;
  const width = wide ? 2 : 1;
  if (count === 0 || count > 20 || at - 6 - count * width < 0) return null;
  const fields: Field[] = [];
  let from = at;
  for (let i = 1; i <= count; i++) {
    const place = at - 6 - i * width;
    const end = at + (wide ? page.readUInt16BE(place) & 0x3fff : (page[place] as number) & 0x7f);
    if (end < from || end > page.length) return null;
    fields.push({ from, to: end });
    from = end;
  }
  return fields;
}

function tableOf(page: Buffer, fields: Field[]): NamedTable[] {
  const [name, flags, space] = [fields[NAME], fields[FLAGS], fields[SPACE]];
  if (!name || !flags || !space || space.to - space.from !== 4 || flags.to - flags.from !== 4) return [];
  if (page.readUInt32BE(flags.from) & WITHOUT_FILE) return [];
  return [{ name: page.toString('latin1', name.from, name.to), space: page.readUInt32BE(space.from) }];
}
