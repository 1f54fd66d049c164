/** Judges one row of pg_class: whether the files it names are there, and long enough as far as that can be told. */
import type { BlockReader } from '../../../src/bytes/block-reader.js';
import type { BlockTable, RelationNumbers } from '../../../src/bytes/block-table.js';
import type { ByteMap } from '../../../src/types.js';
import type { RelationFiles } from '../cluster-files.js';
import { addExample } from '../examples.js';
import type { ClassRow } from '../format/catalogue.js';
import type { ControlFile } from '../format/control.js';
import type { LogChanges } from '../log/changes.js';
import type { CatalogueFacts, MissingFile } from './facts.js';
import { type LengthOf, shortFile } from './lengths.js';
import type { KnownRelation, RelationIndex, RelationParts } from './relation-index.js';
import type { CatalogueFolder } from './source.js';
import { visibleFrom } from './visibility-map.js';

/** Tables, indexes, sequences, TOAST tables, materialised views: all that has a file. */
const WITH_FILES = new Set(['r', 'i', 'S', 't', 'm']);
const TABLES = new Set(['r', 't', 'm']);
const GLOBAL_TABLESPACE = 1664;
/** Of tables; up to version 11 there is no other, and 0 stands for it. */
const HEAP_METHODS = new Set([0, 2]);
/** Since this version counts of pages can be imported from another cluster. */
const COUNTS_IMPORTED_SINCE = 18;

export interface JudgeParts {
  control: ControlFile;
  relations: RelationFiles;
  maps: (ByteMap | null)[];
  changes: LogChanges;
  table: BlockTable;
  numbers: RelationNumbers;
  /** Nothing is to be replayed: unlogged relations are whole, too. */
  shutDown: boolean;
}

interface Identity {
  tablespace: number;
  database: number;
  node: number;
}

export class RelationJudge {
  /** Relations in force that the log names, by their number in the block table. */
  readonly named = new Map<number, LengthOf>();
  private readonly shared = new Set<number>();
  private readonly outside: Set<number>;

  constructor(
    private readonly parts: JudgeParts,
    private readonly major: number,
    private readonly index: RelationIndex,
    private readonly facts: CatalogueFacts,
    private readonly reader: BlockReader,
  ) {
    this.outside = new Set(parts.relations.missingTablespaces.map((name) => Number(/^pg_tblspc\/(\d+)/.exec(name)?.[1] ?? 0)));
  }

  /** Whether the files of a tablespace are in the restore point. */
  isHere(tablespace: number): boolean {
    return !this.outside.has(tablespace);
  }

  /**
   * Gives the files of a logged relation that has any.
   * @param isNewest the page with the row is as it will be after recovery.
   */
  async judge(row: ClassRow, folder: CatalogueFolder, sharedMap: Map<number, number>, isNewest: boolean): Promise<RelationParts | null> {
    if (!WITH_FILES.has(row.kind) || row.persistence === 't') return null;
    const found = this.identify(row, folder, sharedMap);
    if (!found) return null;
    const change = this.parts.changes.relation(found.tablespace, found.database, found.node);
    this.facts.relations++;
    const files = this.index.find(found.tablespace, found.database, found.node);
    if (files) files.inForce = true;
    const byLog = change?.created || change?.dropped || this.parts.changes.tablespaces.has(found.tablespace);
    const elsewhere = !this.isHere(found.tablespace) || this.isElsewhere(row);
    if (byLog) this.facts.byLog++;
    else if (elsewhere) this.facts.elsewhere++;
    else await this.judgeFiles(row, found, files, folder, isNewest);
    if (!files || files.main < 0 || row.persistence !== 'p') return null;
    files.known = knownBy(row, !byLog && !elsewhere);
    return files;
  }

  /** Null for what has no file, and for shared catalogues after the first database that names them. */
  private identify(row: ClassRow, folder: CatalogueFolder, sharedMap: Map<number, number>): Identity | null {
    const node = row.filenode || (row.shared ? sharedMap : folder.final).get(row.oid) || 0;
    const tablespace = row.shared ? GLOBAL_TABLESPACE : row.tablespace || folder.tablespace;
    if (node === 0 || (tablespace === GLOBAL_TABLESPACE && this.shared.has(node))) return null;
    if (tablespace === GLOBAL_TABLESPACE) this.shared.add(node);
    return { tablespace, database: tablespace === GLOBAL_TABLESPACE ? 0 : folder.database, node };
  }

  /** An extension may keep tables in storage of its own. */
  private isElsewhere(row: ClassRow): boolean {
    return TABLES.has(row.kind) && !HEAP_METHODS.has(row.accessMethod);
  }

  private async judgeFiles(row: ClassRow, found: Identity, files: RelationParts | undefined, folder: CatalogueFolder, isNewest: boolean): Promise<void> {
    const missing: MissingFile = { file: this.pathOf(found, folder), relation: row.name, database: folder.name };
    const isUnlogged = row.persistence === 'u';
    if (isUnlogged && (!files || files.init < 0)) addExample(this.facts.missing, { ...missing, file: `${missing.file}_init` });
    if (!files || files.main < 0) {
      if (!isUnlogged || this.parts.shutDown) this.noteMissing(row, found, missing);
    } else if (!isUnlogged) await this.judgeLength(row, found, files, missing, isNewest);
  }

  /** Recovery makes the file as soon as the log names one of its blocks: it is whole only when the log holds all of them. */
  private noteMissing(row: ClassRow, found: Identity, missing: MissingFile): void {
    const { numbers, table } = this.parts;
    const number = numbers.find(found.tablespace, found.database, found.node);
    const isRemade = (block: number) => number >= 0 && table.isRestored(table.find(number, block));
    let remade = 0;
    while (remade < Math.max(1, row.pages) && isRemade(remade)) remade++;
    if (row.kind === 'S' && remade > 0) this.facts.byLog++;
    else addExample(remade >= Math.max(1, row.pages) ? this.facts.remade : this.facts.missing, missing);
  }

  private async judgeLength(row: ClassRow, found: Identity, files: RelationParts, place: MissingFile, isNewest: boolean): Promise<void> {
    const { control, changes, numbers } = this.parts;
    const blocks = this.index.blocks(files, control.pageBytes, control.relationSegmentPages);
    const truncated = (changes.relation(found.tablespace, found.database, found.node)?.truncatedTo ?? null) !== null;
    const length: LengthOf = { ...place, blocks, truncated };
    const number = numbers.find(found.tablespace, found.database, found.node);
    if (number >= 0) this.named.set(number, length);
    if (truncated) return;
    const needed = TABLES.has(row.kind) ? await this.neededByMap(files, number, blocks) : 0;
    if (needed > blocks) addExample(this.facts.short, shortFile(length, needed, 'the visibility map'));
    else if (row.pages > blocks && isNewest && this.major < COUNTS_IMPORTED_SINCE)
      addExample(this.facts.perhapsShort, shortFile(length, row.pages, 'the catalogue'));
  }

  /** The last block that the visibility map knows, when nothing in the log makes it. */
  private async neededByMap(files: RelationParts, number: number, blocks: number): Promise<number> {
    const map = this.parts.maps[files.visibility];
    if (!map) return 0;
    const { table } = this.parts;
    const lost = (await visibleFrom(this.reader, map, blocks, this.parts.control)).filter(
      (block) => number < 0 || !table.isRestored(table.find(number, block)),
    );
    return (lost.at(-1) ?? -1) + 1;
  }

  private pathOf(found: Identity, folder: CatalogueFolder): string {
    if (found.tablespace === GLOBAL_TABLESPACE) return `global/${found.node}`;
    if (found.tablespace === folder.tablespace) return `${folder.shown}/${found.node}`;
    return `pg_tblspc/${found.tablespace}/${found.database}/${found.node}`;
  }
}

function knownBy({ kind, accessMethod }: ClassRow, settled: boolean): KnownRelation {
  return { kind, access: accessMethod, settled, ready: null, table: null };
}
