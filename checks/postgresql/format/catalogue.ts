/**
 * The columns of pg_class, pg_database, pg_tablespace and pg_index that say which files there must be, and which index is whose.
 * Order and types: src/include/catalog/pg_class.h, pg_database.h, pg_tablespace.h and pg_index.h of each major version; the version is told by
 * the catalogue version in the control file (catversion.h). All columns named here are fixed in length and never null.
 */
import { type HeapTuple, ROW } from './heap.js';

/** Columns in their order, as far as they are needed, with their bytes. A name has 64 and no alignment. */
const COLUMNS = {
  class11:
    'relname:64 relnamespace:4 reltype:4 reloftype:4 relowner:4 relam:4 relfilenode:4 reltablespace:4 relpages:4 reltuples:4 relallvisible:4 reltoastrelid:4 relhasindex:1 relisshared:1 relpersistence:1 relkind:1',
  class12:
    'oid:4 relname:64 relnamespace:4 reltype:4 reloftype:4 relowner:4 relam:4 relfilenode:4 reltablespace:4 relpages:4 reltuples:4 relallvisible:4 reltoastrelid:4 relhasindex:1 relisshared:1 relpersistence:1 relkind:1',
  class18:
    'oid:4 relname:64 relnamespace:4 reltype:4 reloftype:4 relowner:4 relam:4 relfilenode:4 reltablespace:4 relpages:4 reltuples:4 relallvisible:4 relallfrozen:4 reltoastrelid:4 relhasindex:1 relisshared:1 relpersistence:1 relkind:1',
  database11:
    'datname:64 datdba:4 encoding:4 datcollate:64 datctype:64 datistemplate:1 datallowconn:1 datconnlimit:4 datlastsysoid:4 datfrozenxid:4 datminmxid:4 dattablespace:4',
  database12:
    'oid:4 datname:64 datdba:4 encoding:4 datcollate:64 datctype:64 datistemplate:1 datallowconn:1 datconnlimit:4 datlastsysoid:4 datfrozenxid:4 datminmxid:4 dattablespace:4',
  database15: 'oid:4 datname:64 datdba:4 encoding:4 datlocprovider:1 datistemplate:1 datallowconn:1 datconnlimit:4 datfrozenxid:4 datminmxid:4 dattablespace:4',
  database17:
    'oid:4 datname:64 datdba:4 encoding:4 datlocprovider:1 datistemplate:1 datallowconn:1 dathasloginevt:1 datconnlimit:4 datfrozenxid:4 datminmxid:4 dattablespace:4',
  tablespace11: 'spcname:64 spcowner:4',
  tablespace12: 'oid:4 spcname:64 spcowner:4',
  index11:
    'indexrelid:4 indrelid:4 indnatts:2 indnkeyatts:2 indisunique:1 indisprimary:1 indisexclusion:1 indimmediate:1 indisclustered:1 indisvalid:1 indcheckxmin:1 indisready:1 indislive:1',
  index15:
    'indexrelid:4 indrelid:4 indnatts:2 indnkeyatts:2 indisunique:1 indnullsnotdistinct:1 indisprimary:1 indisexclusion:1 indimmediate:1 indisclustered:1 indisvalid:1 indcheckxmin:1 indisready:1 indislive:1',
} as const;

type Offsets = Map<string, number>;

export interface CatalogueLayout {
  major: number;
  class: Offsets;
  database: Offsets;
  tablespace: Offsets;
  index: Offsets;
}

function offsets(columns: string): Offsets {
  const found: Offsets = new Map();
  let at = 0;
  for (const column of columns.split(' ')) {
    const [name, size] = column.split(':') as [string, string];
    const bytes = Number(size);
    if (bytes <= 4) at = Math.ceil(at / bytes) * bytes;
    found.set(name, at);
    at += bytes;
  }
  return found.set('', at);
}

const layout = (major: number, classes: keyof typeof COLUMNS, databases: keyof typeof COLUMNS, tablespaces: keyof typeof COLUMNS): CatalogueLayout => ({
  ...{ major, class: offsets(COLUMNS[classes]), database: offsets(COLUMNS[databases]), tablespace: offsets(COLUMNS[tablespaces]) },
  index: offsets(COLUMNS[major >= 15 ? 'index15' : 'index11']),
});

/** By catalogue version: each release has one, for all its minor versions. */
export const CATALOGUE_LAYOUTS: Record<number, CatalogueLayout> = {
  201809051: layout(11, 'class11', 'database11', 'tablespace11'),
  201909212: layout(12, 'class12', 'database12', 'tablespace12'),
  202007201: layout(13, 'class12', 'database12', 'tablespace12'),
  202107181: layout(14, 'class12', 'database12', 'tablespace12'),
  202209061: layout(15, 'class12', 'database15', 'tablespace12'),
  202307071: layout(16, 'class12', 'database15', 'tablespace12'),
  202406281: layout(17, 'class12', 'database17', 'tablespace12'),
  202506291: layout(18, 'class18', 'database17', 'tablespace12'),
};

export interface ClassRow {
  oid: number;
  name: string;
  accessMethod: number;
  /** 0: the relation is mapped, its file stands in pg_filenode.map. */
  filenode: number;
  /** 0: that of the database. */
  tablespace: number;
  pages: number;
  shared: boolean;
  persistence: string;
  kind: string;
}

export interface DatabaseRow {
  oid: number;
  name: string;
  tablespace: number;
  /** -2: its removal was begun. */
  connectionLimit: number;
  /** All older transactions and multixacts are frozen in it. */
  frozenTransaction: number;
  frozenMultixact: number;
}

export interface IndexRow {
  /** Oids. */
  index: number;
  table: number;
  /** It is built, and every change of the table is brought into it. */
  ready: boolean;
}

/** Reads columns of one row version; null of the row when it is shorter than its fixed columns. */
class Row {
  private constructor(
    private readonly bytes: Buffer,
    private readonly tuple: HeapTuple,
    private readonly columns: Offsets,
  ) {}

  static of(bytes: Buffer, tuple: HeapTuple, columns: Offsets, hasOid = true): Row | null {
    const end = tuple.dataOffset + (columns.get('') ?? 0);
    const oidFits = !hasOid || columns.has('oid') || (tuple.infomask & ROW.hasOid) !== 0;
    return end <= tuple.endOffset && oidFits ? new Row(bytes, tuple, columns) : null;
  }

  private at(column: string): number {
    return this.tuple.dataOffset + (this.columns.get(column) ?? 0);
  }
  /** Up to version 11 the oid is the last word of the row's header. */
  get oid(): number {
    return this.columns.has('oid') ? this.word('oid') : this.bytes.readUInt32LE(this.tuple.dataOffset - 4);
  }
  word(column: string): number {
    return this.bytes.readUInt32LE(this.at(column));
  }
  signed(column: string): number {
    return this.bytes.readInt32LE(this.at(column));
  }
  letter(column: string): string {
    return String.fromCharCode(this.bytes.readUInt8(this.at(column)));
  }
  flag(column: string): boolean {
    return this.bytes.readUInt8(this.at(column)) === 1;
  }
  name(column: string): string {
    const text = this.bytes.toString('utf8', this.at(column), this.at(column) + 64);
    const end = text.indexOf('\0');
    return end < 0 ? text : text.slice(0, end);
  }
}

export function readClassRow(bytes: Buffer, tuple: HeapTuple, { class: columns }: CatalogueLayout): ClassRow | null {
  const row = Row.of(bytes, tuple, columns);
  if (!row) return null;
  return {
    ...{ oid: row.oid, name: row.name('relname'), accessMethod: row.word('relam'), filenode: row.word('relfilenode') },
    ...{ tablespace: row.word('reltablespace'), pages: row.signed('relpages'), shared: row.flag('relisshared') },
    ...{ persistence: row.letter('relpersistence'), kind: row.letter('relkind') },
  };
}

export function readDatabaseRow(bytes: Buffer, tuple: HeapTuple, { database: columns }: CatalogueLayout): DatabaseRow | null {
  const row = Row.of(bytes, tuple, columns);
  if (!row) return null;
  return {
    ...{ oid: row.oid, name: row.name('datname'), tablespace: row.word('dattablespace'), connectionLimit: row.signed('datconnlimit') },
    ...{ frozenTransaction: row.word('datfrozenxid'), frozenMultixact: row.word('datminmxid') },
  };
}

export function readTablespaceRow(bytes: Buffer, tuple: HeapTuple, { tablespace: columns }: CatalogueLayout): { oid: number; name: string } | null {
  const row = Row.of(bytes, tuple, columns);
  return row ? { oid: row.oid, name: row.name('spcname') } : null;
}

export function readIndexRow(bytes: Buffer, tuple: HeapTuple, { index: columns }: CatalogueLayout): IndexRow | null {
  const row = Row.of(bytes, tuple, columns, false);
  return row ? { index: row.word('indexrelid'), table: row.word('indrelid'), ready: row.flag('indisready') && row.flag('indislive') } : null;
}
