/** What the catalogue pass found: counts, and a few examples of each kind. Plain data, small enough to be kept as evidence. */
import { type Examples, noExamples } from '../examples.js';

/** A file that the catalogue names and that is not there. */
export interface MissingFile {
  file: string;
  relation: string;
  database: string;
}

/** A file that ends before what is surely in its relation. Sizes are blocks. */
export interface ShortFile extends MissingFile {
  blocks: number;
  needed: number;
  by: 'the log before the checkpoint' | 'the log to be replayed' | 'the visibility map' | 'the catalogue';
}

export interface MissingDatabase {
  database: string;
  folder: string;
}

export interface CatalogueFacts {
  /** Why nothing was held against the catalogue; null: it was. */
  unread: string | null;
  databases: number;
  /** Relations that must have files, and did when they are in no list below. */
  relations: number;
  /** Relations whose files the log makes or removes. */
  byLog: number;
  /** Rows of which nothing tells whether they are in force. */
  undecidedRows: number;
  /** Pages of catalogues that are damaged or torn: what stands in them was not looked for. */
  damagedPages: number;
  missing: Examples<MissingFile>;
  /** Missing, and the log makes as much anew as is known of it. */
  remade: Examples<MissingFile>;
  short: Examples<ShortFile>;
  /** Shorter than the catalogue counted once: an interrupted VACUUM leaves that, too. */
  perhapsShort: Examples<ShortFile>;
  missingDatabases: Examples<MissingDatabase>;
  /** Tablespaces without their link in pg_tblspc; their oids. */
  missingLinks: Examples<number>;
  /** pg_filenode.map files that are missing or damaged. */
  damagedMaps: Examples<string>;
  /** Databases that were being created or removed, or whose catalogue could not be read: name (empty: all of them) and why. */
  skipped: Examples<{ database: string; why: string; holdsData: boolean }>;
  /** The least of all databases; null when pg_database was not read. */
  frozen: { transaction: number; multixact: number } | null;
  /** Relations that lie in tablespaces outside the restore point, or in storage of an extension. */
  elsewhere: number;
}

export function emptyCatalogueFacts(): CatalogueFacts {
  return {
    ...{ unread: null, databases: 0, relations: 0, byLog: 0, undecidedRows: 0, damagedPages: 0, elsewhere: 0, frozen: null },
    ...{
      missing: noExamples(),
      remade: noExamples(),
      short: noExamples(),
      perhapsShort: noExamples(),
      missingDatabases: noExamples(),
      missingLinks: noExamples(),
      damagedMaps: noExamples(),
    },
    skipped: noExamples(),
  };
}
