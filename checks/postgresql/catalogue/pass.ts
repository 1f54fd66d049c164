/**
 * Holds the catalogue against the files: every relation that is in force once recovery is done must have its files, as far as the log
 * does not make or remove them. Nothing but files is read.
 */
import { posix } from 'node:path';
import { BlockReader } from '../../../src/bytes/block-reader.js';
import type { DatabaseInstance } from '../../../src/types.js';
import { inside } from '../cluster-files.js';
import { addExample } from '../examples.js';
import { CATALOGUE_LAYOUTS, type CatalogueLayout, type DatabaseRow, readClassRow, readDatabaseRow, readTablespaceRow } from '../format/catalogue.js';
import { precedes } from '../log/transaction-table.js';
import { StatusFiles } from '../status/files.js';
import { RowJudge } from '../status/row-state.js';
import { type CatalogueFacts, emptyCatalogueFacts } from './facts.js';
import { IndexPairs } from './index-pairs.js';
import { judgeByLog } from './lengths.js';
import type { RelationIndex } from './relation-index.js';
import { type JudgeParts, RelationJudge } from './relations.js';
import { type CatalogueFolder, CatalogueSource, type Place, type Row, type SourceParts } from './source.js';

export interface CatalogueRequest extends SourceParts, JudgeParts {
  instance: DatabaseInstance;
  /** Of `relations`; it learns which of them are in force. */
  index: RelationIndex;
  /** What the log before redo says is in the pages by now; not so on a standby. */
  judgeStale: boolean;
}

/** Oids that never change (src/include/catalog/pg_*.h). */
const OID = { class: 1259, database: 1262, tablespace: 1213 } as const;
const DEFAULT_TABLESPACE = 1663;
const GLOBAL_TABLESPACE = 1664;
const BEING_REMOVED = -2;

/** Bounded memory: one chunk of one catalogue, and a record of each relation that the log names. */
export async function readCatalogue(request: CatalogueRequest): Promise<CatalogueFacts> {
  const layout = CATALOGUE_LAYOUTS[request.control.catalogVersion];
  const facts = emptyCatalogueFacts();
  if (!layout) return { ...facts, unread: `the layout of catalogue version ${request.control.catalogVersion} is not known` };
  if (request.changes.overflowed) return { ...facts, unread: 'the log does more than can be held in memory' };
  const reader = new BlockReader();
  try {
    const status = await StatusFiles.open(request.files, request.instance, 'pg_xact', reader, request.control.pageBytes);
    await new CataloguePass(request, layout, facts, reader, new RowJudge(request.changes, status)).run();
  } finally {
    await reader.close();
  }
  return facts;
}

class CataloguePass {
  private readonly index: RelationIndex;
  private readonly source: CatalogueSource;
  private readonly relations: RelationJudge;

  constructor(
    private readonly request: CatalogueRequest,
    layout: CatalogueLayout,
    private readonly facts: CatalogueFacts,
    reader: BlockReader,
    private readonly rows: RowJudge,
  ) {
    this.index = request.index;
    this.source = new CatalogueSource(request, layout, this.index, rows, facts, reader);
    this.relations = new RelationJudge(request, layout.major, this.index, facts, reader);
  }

  async run(): Promise<void> {
    const location = inside(this.request.instance.location, 'global');
    const shared = await this.source.open({ name: '', database: 0, tablespace: GLOBAL_TABLESPACE, shown: 'global', location });
    if (!shared) return;
    await this.judgeTablespaces(shared);
    const databases: Row<DatabaseRow>[] = [];
    for await (const row of this.source.read(shared, OID.database, 'pg_database', readDatabaseRow)) if (row.state !== 'gone') databases.push(row);
    // template1 and postgres are in every cluster: where no row is, the table was not read.
    if (databases.length === 0) addExample(this.facts.skipped, { database: '', why: 'no row of pg_database could be read', holdsData: true });
    this.facts.frozen = frozenIn(databases);
    for (const row of databases) await this.judgeDatabase(row, shared);
    if (this.index.read.size > 0) this.index.read.add(0);
    judgeByLog(this.request.table, this.relations.named, this.request.judgeStale, this.facts);
  }

  /** A tablespace that was made or is being removed has no link for a moment; it is empty then. */
  private async judgeTablespaces(shared: CatalogueFolder): Promise<void> {
    const { changes, relations } = this.request;
    for await (const { row, state, tuple } of this.source.read(shared, OID.tablespace, 'pg_tablespace', readTablespaceRow)) {
      const builtIn = row.oid === DEFAULT_TABLESPACE || row.oid === GLOBAL_TABLESPACE;
      if (builtIn || state !== 'live' || this.rows.deletionBegan(tuple) || changes.tablespaces.has(row.oid)) continue;
      if (!relations.tablespaces.includes(row.oid)) addExample(this.facts.missingLinks, row.oid);
    }
  }

  private async judgeDatabase(database: Row<DatabaseRow>, shared: CatalogueFolder): Promise<void> {
    const { row } = database;
    if (this.isLeaving(database)) this.index.leaving.add(row.oid);
    const skipped = this.whySkipped(database);
    if (skipped) return addExample(this.facts.skipped, { database: row.name, ...skipped });
    const place = this.placeOf(row);
    if (!place) {
      const parent = row.tablespace === DEFAULT_TABLESPACE ? 'base' : `pg_tblspc/${row.tablespace}`;
      return addExample(this.facts.missingDatabases, { database: row.name, folder: `${parent}/${row.oid}` });
    }
    const folder = await this.source.open(place);
    if (folder) await this.judgeClass(folder, shared);
  }

  /** Its removal takes its files before it commits; what the log makes is not there yet. */
  private whySkipped({ row, state, tuple }: Row<DatabaseRow>): { why: string; holdsData: boolean } | null {
    if (state === 'undecided') return { why: 'nothing tells whether it was still there', holdsData: true };
    if (row.connectionLimit === BEING_REMOVED || this.rows.deletionBegan(tuple)) return { why: 'it was being removed', holdsData: false };
    if (this.request.changes.databases.has(row.oid)) return { why: 'the log to be replayed makes, moves or removes it', holdsData: false };
    return this.relations.isHere(row.tablespace) ? null : { why: 'its tablespace is not in the restore point', holdsData: true };
  }

  /** Its removal was under way. One that was given up leaves the same mark in the row, but not of a transaction that may still run. */
  private isLeaving({ row, tuple }: Row<DatabaseRow>): boolean {
    const { oldestActiveTransaction, nextTransaction } = this.request.control;
    if (row.connectionLimit === BEING_REMOVED) return true;
    return this.rows.deletionBegan(tuple) && !precedes(tuple.deleted, oldestActiveTransaction || nextTransaction);
  }

  /** Where a database lies, by the first of its files: a tablespace may be on another volume. */
  private placeOf(row: DatabaseRow): Place | null {
    const first = this.index.firstOf(row.tablespace, row.oid);
    if (!first) return null;
    const location = { volume: first.location.volume, path: posix.dirname(first.location.path) };
    return { name: row.name, database: row.oid, tablespace: row.tablespace, shown: posix.dirname(first.path), location };
  }

  private async judgeClass(folder: CatalogueFolder, shared: CatalogueFolder): Promise<void> {
    const { numbers, table } = this.request;
    const number = numbers.find(folder.tablespace, folder.database, folder.onDisk.get(OID.class) ?? 0);
    this.facts.databases++;
    const doubts = this.facts.damagedPages + this.facts.undecidedRows;
    const pairs = new IndexPairs();
    let live = 0;
    for await (const { row, state, block } of this.source.read(folder, OID.class, 'pg_class', readClassRow)) {
      if (state !== 'live') continue;
      live++;
      const isNewest = number < 0 || !table.isTouched(table.find(number, block));
      pairs.add(row.oid, await this.relations.judge(row, folder, shared.final, isNewest));
    }
    if (live === 0) addExample(this.facts.skipped, { database: folder.name, why: 'no row of its pg_class could be read', holdsData: true });
    else if (this.facts.damagedPages + this.facts.undecidedRows === doubts) this.index.read.add(folder.database);
    await pairs.read(this.source, this.facts);
  }
}

function frozenIn(databases: Row<DatabaseRow>[]): CatalogueFacts['frozen'] {
  const [first, ...others] = databases.map(({ row }) => ({ transaction: row.frozenTransaction, multixact: row.frozenMultixact }));
  if (!first) return null;
  const earlier = (one: number, other: number) => (precedes(other, one) ? other : one);
  return others.reduce(
    (least, one) => ({ transaction: earlier(least.transaction, one.transaction), multixact: earlier(least.multixact, one.multixact) }),
    first,
  );
}
