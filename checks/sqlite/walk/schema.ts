/** The schema table: which b-trees there are. Source: https://sqlite.org/fileformat2.html, section 2.6. */
import type { BtreePage } from '../format/btree-page.js';
import { decodeColumns, type Value } from '../format/record.js';
import type { PageView } from '../page-view.js';
import type { Tree } from './visit-queue.js';

/** Schema text beyond this is not read: it only decides whether index order can be compared. */
const MAX_ROW_BYTES = 1024 * 1024;
/** A schema with more objects, or more text, was made to exhaust memory. */
const MAX_OBJECTS = 200_000;
const MAX_PENDING_BYTES = 64 * 1024 * 1024;

interface SchemaRow {
  type: string;
  name: string;
  table: string;
  root: number;
}

interface LongRow {
  local: Buffer;
  overflow: number;
  payloadBytes: number;
}

/** Collects the rows of the schema table while it is walked, then names the trees. */
export class Schema {
  private readonly rows: { row: SchemaRow; flags: SqlFlags }[] = [];
  private readonly long: LongRow[] = [];
  private pendingBytes = 0;
  /** Rows that were not decoded, because they are damaged or too many. */
  skippedRows = 0;

  constructor(
    private readonly view: PageView,
    private readonly usableBytes: number,
    private readonly encoding: number,
  ) {}

  addLeaf(page: Buffer, parsed: BtreePage): void {
    for (let cell = 0; cell < parsed.cellCount; cell++) {
      const start = parsed.payloadStart[cell] as number;
      const local = page.subarray(start, start + (parsed.localPayloadBytes[cell] as number));
      const overflow = parsed.overflow[cell] as number;
      if (overflow === 0) this.addRow(local);
      else this.addLong({ local: Buffer.from(local), overflow, payloadBytes: parsed.payloadBytes[cell] as number });
    }
  }

  private addLong(row: LongRow): void {
    this.pendingBytes += row.local.length;
    if (this.pendingBytes > MAX_PENDING_BYTES) this.skippedRows++;
    else this.long.push(row);
  }

  private addRow(record: Buffer): void {
    const [type, name, table, root, sql] = decodeColumns(record, 5);
    const rootPage = typeof root === 'number' ? root : 0;
    if (root === undefined || this.rows.length >= MAX_OBJECTS) this.skippedRows++;
    else if (rootPage !== 0) {
      const text = sql === undefined ? null : this.text(sql);
      const row = { type: this.text(type), name: this.text(name).slice(0, 200), table: this.text(table).slice(0, 200), root: rootPage };
      this.rows.push({ row, flags: flagsOf(text) });
    }
  }

  private text(value: Value | undefined): string {
    if (typeof value !== 'object' || value === null) return '';
    if (this.encoding === 2) return value.bytes.toString('utf16le');
    return this.encoding === 3
      ? Buffer.from(value.bytes)
          .subarray(0, value.bytes.length & ~1)
          .swap16()
          .toString('utf16le')
      : value.bytes.toString('utf8');
  }

  /** The trees that the schema names, its own not among them. */
  async trees(): Promise<Tree[]> {
    for (const row of this.long) this.addRow(await this.assemble(row));
    const tables = new Map(this.rows.filter(({ row }) => row.type === 'table').map(({ row, flags }) => [row.name.toLowerCase(), flags]));
    return this.rows.map(({ row, flags }) => treeOf(row, flags, tables.get(row.table.toLowerCase())));
  }

  /** The row with what its overflow chain holds, as far as it is sane and wanted. */
  private async assemble(row: LongRow): Promise<Buffer> {
    const wanted = Math.min(row.payloadBytes, MAX_ROW_BYTES);
    const parts = [row.local];
    let lengthBytes = row.local.length;
    for (let page = row.overflow; lengthBytes < wanted && page > 0 && page <= this.view.pageCount; ) {
      const bytes = await this.view.read(page, 1);
      const part = bytes.subarray(4, Math.min(this.usableBytes, 4 + wanted - lengthBytes));
      parts.push(part);
      lengthBytes += part.length;
      page = bytes.readUInt32BE(0);
    }
    return Buffer.concat(parts);
  }
}

function treeOf(row: SchemaRow, flags: SqlFlags, ofTable: SqlFlags | undefined): Tree {
  const isIndex = row.type === 'index';
  const plain = flags.plain && (!isIndex || ofTable?.plain === true);
  const isTable = isIndex ? false : flags.withoutRowid === null ? null : !flags.withoutRowid;
  const indexes = isIndex && !flags.partial ? row.table.toLowerCase() : null;
  return { name: row.name, root: row.root, isIndex, isTable, comparable: plain && isTable !== true, leafDepth: -1, entries: 0, indexes };
}

/** What the text of an object tells; the most careful answer when it could not be read. */
interface SqlFlags {
  /** Null: the words appear, but perhaps only in a comment or a literal. */
  withoutRowid: boolean | null;
  /** No word in it that could mean an order other than BINARY ascending. */
  plain: boolean;
  /** An index that may leave out rows. */
  partial: boolean;
}

/** Looks for words only: a column that happens to be called "desc" merely switches the comparison off. */
function flagsOf(sql: string | null): SqlFlags {
  if (sql === null) return { withoutRowid: null, plain: false, partial: true };
  // An index that a constraint made has no text of its own: its table's counts.
  if (sql === '') return { withoutRowid: null, plain: true, partial: false };
  const withoutRowid = /\)\s*(strict\s*,\s*)?without\s+rowid(\s*,\s*strict)?[\s;]*$/i.test(sql)
    ? true
    : /without/i.test(sql) && /rowid/i.test(sql)
      ? null
      : false;
  return { withoutRowid, plain: !/collate|\bdesc\b/i.test(sql), partial: /\bwhere\b/i.test(sql) };
}
