import { describe, expect, it } from 'vitest';
import { RelationNumbers } from '../../../src/bytes/block-table.js';
import { type KnownRelation, RelationIndex } from '../catalogue/relation-index.js';
import type { RelationEntry } from '../cluster-files.js';
import type { Fork } from '../format/names.js';
import { LogChanges, type RelationChange, relationKey } from '../log/changes.js';
import { STATUS } from '../log/transaction-table.js';
import { HEALTHY_CONTROL } from '../testing/evidence.js';
import { FileRoles } from './roles.js';

const [SPACE, DATABASE, NODE] = [1663, 5, 16384];
const BTREE = 403;
const UNTOUCHED: RelationChange = { created: false, creator: 0, dropped: false, truncatedTo: null };

function entry(fork: Fork = 'main', choices: Partial<RelationEntry> = {}): RelationEntry {
  const location = { volume: 'v', path: `/base/5/${NODE}` };
  return {
    location,
    path: `base/5/${NODE}`,
    sizeBytes: 0,
    tablespace: SPACE,
    database: DATABASE,
    relation: NODE,
    fork,
    segment: 0,
    temporary: false,
    ...choices,
  };
}

interface Scene {
  files?: RelationEntry[];
  known?: Partial<KnownRelation> | null;
  change?: Partial<RelationChange>;
  committed?: number;
  /** Every row of pg_class was read. */
  read?: boolean;
  /** Its database was being removed. */
  leaving?: boolean;
  judgeZeroes?: boolean;
}

/** How the first of the files is judged. */
function detailOf({ files = [entry()], known = {}, change, committed, read = true, leaving = false, judgeZeroes = true }: Scene) {
  const index = new RelationIndex(files);
  const parts = index.find(SPACE, DATABASE, NODE);
  if (parts && known) Object.assign(parts, { inForce: true, known: { kind: 'r', access: 2, settled: true, ready: null, table: null, ...known } });
  if (read) index.read.add(DATABASE);
  if (leaving) index.leaving.add(DATABASE);
  const changes = new LogChanges();
  if (change) changes.relations.set(relationKey(SPACE, DATABASE, NODE), { ...UNTOUCHED, ...change });
  if (committed !== undefined) changes.ended.note(committed, STATUS.committed);
  return new FileRoles(index, changes, new RelationNumbers(), HEALTHY_CONTROL, judgeZeroes).detail(files[0] as RelationEntry);
}

describe('files of relations', () => {
  it('are judged by their fork', () => {
    expect(detailOf({})).toMatchObject({ role: 'logged', zero: { relation: 0, endBlock: 2 ** 32 } });
    expect(detailOf({ files: [entry('fsm'), entry()] })).toMatchObject({ role: 'derived', zero: null });
    expect(detailOf({ files: [entry('main'), entry('init')] })).toMatchObject({ role: 'exempt', zero: null });
    expect(detailOf({ files: [entry('main', { temporary: true })] })).toMatchObject({ role: 'exempt', zero: null });
  });

  it('that no row names are unborn, unless the log makes them and commits that', () => {
    expect(detailOf({ known: null }).role).toBe('unborn');
    expect(detailOf({ known: null, change: { created: true, creator: 900 } }).role).toBe('unborn');
    expect(detailOf({ known: null, change: { created: true, creator: 900 }, committed: 900 }).role).toBe('nameless');
    expect(detailOf({ known: null, read: false }).role).toBe('logged');
  });

  it('of a database that was being removed are seen by nobody any more', () => {
    expect(detailOf({ leaving: true })).toMatchObject({ role: 'unborn', zero: null });
    expect(detailOf({ leaving: true, known: null, change: { created: true, creator: 900 }, committed: 900 }).role).toBe('unborn');
  });

  it('of indexes that are being built are unborn, too', () => {
    const building = { kind: 'i', access: BTREE, ready: false };
    expect(detailOf({ known: building })).toMatchObject({ role: 'unborn', zero: null });
    expect(detailOf({ known: building, read: false })).toMatchObject({ role: 'logged', zero: null });
    expect(detailOf({ known: { ...building, ready: null } })).toMatchObject({ role: 'logged', zero: null });
    expect(detailOf({ known: { ...building, ready: true } })).toMatchObject({ role: 'logged', zero: { isFirstNeeded: true, isReadByLog: true } });
  });
});

describe('zero pages', () => {
  it('are not judged where the log makes or removes the files, or is not trusted', () => {
    expect(detailOf({ known: { settled: false } }).zero).toBeNull();
    expect(detailOf({ judgeZeroes: false }).zero).toBeNull();
  });

  it('are legal from where some log cut the relation', () => {
    expect(detailOf({ change: { truncatedTo: 7 } }).zero?.endBlock).toBe(7);
  });

  it('are never first in sequences and indexes, and stop the server where it reads them', () => {
    expect(detailOf({}).zero).toMatchObject({ isFirstNeeded: false, isReadByLog: true });
    expect(detailOf({ known: { kind: 'S', access: 0 } }).zero).toMatchObject({ isFirstNeeded: true, isReadByLog: true });
    expect(detailOf({ known: { kind: 'i', access: 405, ready: true } }).zero).toMatchObject({ isFirstNeeded: true, isReadByLog: false });
    expect(detailOf({ known: { kind: 'i', access: 99999, ready: true } }).zero).toMatchObject({ isFirstNeeded: false, isReadByLog: false });
  });
});
