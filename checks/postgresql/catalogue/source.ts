/** Reads rows of catalogues without a server: pg_filenode.map says where their files lie, pg_xact and the log which rows are in force. */
import type { BlockReader } from '../../../src/bytes/block-reader.js';
import type { ByteMap, GuestFiles, GuestLocation } from '../../../src/types.js';
import { inside, readSmallFile } from '../cluster-files.js';
import { addExample } from '../examples.js';
import type { CatalogueLayout } from '../format/catalogue.js';
import type { ControlFile } from '../format/control.js';
import { type HeapTuple, heapTuples } from '../format/heap.js';
import { parseRelationMap } from '../format/relation-map.js';
import type { LogChanges } from '../log/changes.js';
import type { RowJudge, RowState } from '../status/row-state.js';
import type { CatalogueFacts } from './facts.js';
import { HeapReader } from './heap-reader.js';
import type { RelationIndex, RelationParts } from './relation-index.js';

/** One database (or the shared catalogues: database 0) and where its mapped catalogues lie. */
export interface CatalogueFolder {
  name: string;
  database: number;
  tablespace: number;
  /** As the administrator knows it: `base/5`. */
  shown: string;
  /** Catalogue oid -> file node: as the files say, and as they will after recovery. */
  onDisk: Map<number, number>;
  final: Map<number, number>;
}

export type Place = Pick<CatalogueFolder, 'name' | 'database' | 'tablespace' | 'shown'> & { location: GuestLocation };

/** A row version, whether it is in force, and in which block it stands. */
export interface Row<T> {
  row: T;
  state: RowState;
  tuple: HeapTuple;
  block: number;
}

type Parse<T> = (bytes: Buffer, tuple: HeapTuple, layout: CatalogueLayout) => T | null;

const MAP_BYTES = 1024;

export interface SourceParts {
  files: GuestFiles;
  control: ControlFile;
  maps: (ByteMap | null)[];
  changes: LogChanges;
  signal: AbortSignal;
}

export class CatalogueSource {
  private readonly heap: HeapReader;

  constructor(
    private readonly parts: SourceParts,
    private readonly layout: CatalogueLayout,
    private readonly index: RelationIndex,
    private readonly rows: RowJudge,
    private readonly facts: CatalogueFacts,
    reader: BlockReader,
  ) {
    this.heap = new HeapReader(reader, parts.control, parts.signal);
  }

  /** Null, and noted, when its map is neither in the files nor in the log. */
  async open(place: Place): Promise<CatalogueFolder | null> {
    const bytes = await readSmallFile(this.parts.files, inside(place.location, 'pg_filenode.map'), MAP_BYTES);
    const logged = this.parts.changes.maps.get(place.database);
    const onDisk = (bytes ? parseRelationMap(bytes) : null) ?? logged;
    if (!onDisk) {
      addExample(this.facts.damagedMaps, `${place.shown}/pg_filenode.map`);
      return null;
    }
    return { ...place, onDisk, final: logged ?? onDisk };
  }

  /** Rows of one mapped catalogue, from every page that is sound. A file that is missing is noted, where the log does not make it. */
  async *read<T>(folder: CatalogueFolder, oid: number, name: string, parse: Parse<T>): AsyncGenerator<Row<T>> {
    const node = folder.onDisk.get(oid) ?? 0;
    const parts = this.index.find(folder.tablespace, folder.database, node);
    if (!parts || parts.main < 0) return this.noteMissing(folder, node, name);
    for await (const row of this.rowsOf(parts, parse, name === 'pg_class')) {
      if (row.state === 'undecided') this.facts.undecidedRows++;
      yield row;
    }
  }

  /** Rows of any catalogue, wherever its files are. */
  async *rowsOf<T>(parts: RelationParts, parse: Parse<T>, commitsNameFiles: boolean): AsyncGenerator<Row<T>> {
    const maps = [parts.main, ...parts.later].flatMap((place) => this.parts.maps[place] ?? []);
    for await (const { bytes, offset, block } of this.heap.pages(maps)) {
      for (const tuple of heapTuples(bytes, offset, this.parts.control.pageBytes)) {
        const row = parse(bytes, tuple, this.layout);
        if (row) yield { row, state: await this.rows.judge(tuple, commitsNameFiles), tuple, block };
      }
    }
    this.facts.damagedPages = this.heap.damagedPages;
  }

  private noteMissing(folder: CatalogueFolder, node: number, name: string): void {
    const change = this.parts.changes.relation(folder.tablespace, folder.database, node);
    if (change?.created || change?.dropped)
      addExample(this.facts.skipped, { database: folder.name, why: `the log to be replayed makes its ${name}`, holdsData: true });
    else addExample(this.facts.missing, { file: `${folder.shown}/${node}`, relation: name, database: folder.name });
  }
}
