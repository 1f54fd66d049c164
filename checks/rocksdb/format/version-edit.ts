/**
 * The records of a MANIFEST: which table files are live. Source: what LevelDB documents of its descriptor files, and RocksDB's
 * wiki page on MANIFEST (numbers of the fields).
 */
import { FormatError } from '../../../src/errors.js';
import { Reader } from './varint.js';

export interface Version {
  comparator: string | null;
  /** By column family: the log from which it still needs records. */
  logNumbers: Map<number, number>;
  /** Of live files: size in bytes. By column family and number. */
  files: Map<number, Map<number, number>>;
  edits: number;
  /** Something there that is not known here: the list of files may not be complete. */
  unknown: string | null;
  blobFiles: boolean;
}

export const newVersion = (): Version => ({ comparator: null, logNumbers: new Map(), files: new Map(), edits: 0, unknown: null, blobFiles: false });

interface Edit {
  family: number;
  dropped: boolean;
  logNumber: number | null;
  removed: number[];
  added: [number, number][];
}

const SAFE_TO_IGNORE = 8192;
const END_OF_FIELDS = 1;
/** A table that lies in another folder than the first. */
const PATH_FIELD = 65;
const OTHER_FOLDERS = 'tables in other folders (db_paths)';

/** @throws FormatError when the record cannot be read */
export function applyEdit(record: Buffer, version: Version): void {
  const reader = new Reader(record);
  const edit: Edit = { family: 0, dropped: false, logNumber: null, removed: [], added: [] };
  while (!reader.atEnd && version.unknown === null) readField(reader, edit, version);
  version.edits++;
  if (edit.logNumber !== null) version.logNumbers.set(edit.family, edit.logNumber);
  if (edit.dropped) {
    version.files.delete(edit.family);
    version.logNumbers.delete(edit.family);
    return;
  }
  const files = version.files.get(edit.family) ?? new Map<number, number>();
  for (const number of edit.removed) files.delete(number);
  for (const [number, size] of edit.added) files.set(number, size);
  version.files.set(edit.family, files);
}

function readField(reader: Reader, edit: Edit, version: Version): void {
  const tag = reader.varint();
  const known = FIELDS[tag];
  if (known) known(reader, edit, version);
  else if (tag >= SAFE_TO_IGNORE && Math.floor(tag / SAFE_TO_IGNORE) % 2 === 1) reader.text();
  else if (tag > 1000) throw new FormatError({ code: 'rocksdb.manifest', message: `a field has the number ${tag}` });
  else version.unknown = `a field of the number ${tag}`;
}

type Field = (reader: Reader, edit: Edit, version: Version) => void;
const number: Field = (reader) => void reader.varint();

const FIELDS: Record<number, Field> = {
  1: (reader, _, version) => {
    version.comparator ??= reader.text().toString('latin1').slice(0, 100);
  },
  2: (reader, edit) => {
    edit.logNumber = reader.varint();
  },
  3: number,
  4: number,
  5: (reader) => {
    reader.varint();
    reader.text();
  },
  6: (reader, edit) => {
    reader.varint();
    edit.removed.push(reader.varint());
  },
  7: (reader, edit, version) => newFile(reader, edit, version, { path: false, sequences: false, fields: false }),
  9: number,
  10: number,
  100: (reader, edit, version) => newFile(reader, edit, version, { path: false, sequences: true, fields: false }),
  102: (reader, edit, version) => newFile(reader, edit, version, { path: true, sequences: true, fields: false }),
  103: (reader, edit, version) => newFile(reader, edit, version, { path: false, sequences: true, fields: true }),
  200: (reader, edit) => {
    edit.family = reader.varint();
  },
  201: (reader) => void reader.text(),
  202: (_, edit) => {
    edit.dropped = true;
  },
  203: number,
  300: number,
  400: (_, __, version) => {
    version.blobFiles = true;
    version.unknown = 'files of large values (BlobDB)';
  },
};

function newFile(reader: Reader, edit: Edit, version: Version, has: { path: boolean; sequences: boolean; fields: boolean }): void {
  reader.varint();
  const fileNumber = reader.varint();
  if (has.path && reader.varint() !== 0) version.unknown = OTHER_FOLDERS;
  const size = reader.varint();
  reader.text();
  reader.text();
  if (has.sequences) {
    reader.varint();
    reader.varint();
  }
  for (let tag = has.fields ? reader.varint() : END_OF_FIELDS; tag !== END_OF_FIELDS; tag = reader.varint()) {
    const value = reader.text();
    if (tag === PATH_FIELD && value[0] !== 0) version.unknown = OTHER_FOLDERS;
  }
  edit.added.push([fileNumber, size]);
}
