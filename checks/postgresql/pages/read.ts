/**
 * Reads every page of every relation once: tables first, then indexes, whose pointers to rows are held against the zero pages of their
 * tables on the way. Indexes that hold zero pages themselves are read a second time for what points to these.
 */
import type { BlockTable, RelationNumbers } from '../../../src/bytes/block-table.js';
import { addTallies } from '../../../src/bytes/page-facts.js';
import { type PageFile, type PagePass, runPagePass } from '../../../src/bytes/page-pool.js';
import type { ByteMap } from '../../../src/types.js';
import type { RelationIndex, RelationParts } from '../catalogue/relation-index.js';
import type { RelationEntry, RelationFiles } from '../cluster-files.js';
import { ACCESS_METHODS } from '../format/access/methods.js';
import type { ControlFile } from '../format/control.js';
import type { LogChanges } from '../log/changes.js';
import { addPageFacts } from './facts.js';
import { LINK_BLOCK_BYTES, type LinkConfig, type LinkDetail, type LinksFound } from './link-verifier.js';
import { emptyRelationFacts, noteUnreadable, type RelationFacts, shortSegments } from './relation-facts.js';
import { FileRoles } from './roles.js';
import type { Watch } from './row-pointers.js';
import { BLOCK_BYTES, type PageConfig, type PageDetail, type PageResult } from './verifier.js';
import { lookUpInMaps } from './zero-maps.js';
import { ZeroRuns } from './zero-runs.js';
import { type ZeroSlice, ZeroTable } from './zero-table.js';
import { emptyZeroedFacts, type ZeroedFacts } from './zeroed-facts.js';

export interface PagesRequest {
  control: ControlFile;
  relations: RelationFiles;
  /** Of `relations`; says what the catalogue knows of them. */
  index: RelationIndex;
  maps: (ByteMap | null)[];
  changes: LogChanges;
  table: BlockTable;
  numbers: RelationNumbers;
  /** Null: the end of the log is not known. */
  logEnd: number | null;
  /** What the log before redo says is in the pages by now; not so on a standby. */
  judgeStale: boolean;
  /** Why nothing tells which zero pages the log makes anew; null: something does. */
  zeroesUnread: string | null;
  signal: AbortSignal;
  progress(doneBytes: number, totalBytes: number): void;
}

type File = PageFile<PageDetail> & { entry: RelationEntry; parts: RelationParts | undefined };

export async function readPages(request: PagesRequest): Promise<{ relations: RelationFacts; zeroed: ZeroedFacts }> {
  const pass = new PagesPass(request);
  await pass.run();
  return { relations: pass.relations, zeroed: pass.zeroed };
}

class PagesPass {
  readonly relations: RelationFacts;
  readonly zeroed: ZeroedFacts;
  private readonly roles: FileRoles;
  private readonly zeroes = new ZeroRuns();
  private doneBytes = 0;

  constructor(private readonly request: PagesRequest) {
    const { relations, index, changes, numbers, control, zeroesUnread } = request;
    this.relations = emptyRelationFacts(relations.entries.length, relations.missingTablespaces);
    this.zeroed = emptyZeroedFacts(zeroesUnread);
    this.roles = new FileRoles(index, changes, numbers, control, zeroesUnread === null);
  }

  async run(): Promise<void> {
    const { relations, control } = this.request;
    const kept = relations.entries.filter((entry) => !this.roles.isDropped(entry));
    this.relations.shortSegments = shortSegments(kept, control.pageBytes * control.relationSegmentPages);
    const files = this.files();
    const indexes = files.filter(isOfIndex);
    await this.verify(
      files.filter((file) => !isOfIndex(file)),
      null,
    );
    const table = await this.watchTables(indexes);
    await this.verify(indexes, table);
    await this.readLinks(indexes);
    Object.assign(this.zeroed, { pages: this.zeroes.blocks, relations: this.zeroes.relations.length, leftOut: this.zeroes.leftOut });
  }

  private files(): File[] {
    const files: File[] = [];
    for (const [place, entry] of this.request.relations.entries.entries()) {
      const map = this.request.maps[place];
      const detail = this.roles.detail(entry);
      if (!map) {
        noteUnreadable(this.relations, entry.path);
        continue;
      }
      this.relations.bytes += map.sizeBytes;
      if (detail.role === 'exempt') this.relations.exemptFiles++;
      if (detail.role === 'derived') this.relations.derivedFiles++;
      files.push({ map, detail, entry, parts: this.request.index.find(entry.tablespace, entry.database, entry.relation) });
    }
    return files;
  }

  /** Holds visibility maps against the zero pages of their tables, and tells each index of such a table what to look for. */
  private async watchTables(indexes: File[]): Promise<ZeroTable> {
    const { request, zeroes, zeroed } = this;
    const tables = new Map(indexes.flatMap(({ parts }) => (parts?.known?.table ? [[parts.known.table.main, parts] as const] : [])));
    zeroed.maps = await lookUpInMaps(request, zeroes, zeroed.lost.map);
    const { table, slices } = ZeroTable.of(
      zeroes,
      zeroes.relations.filter((relation) => tables.has(relation)),
    );
    const watching = new Set<RelationParts>();
    for (const { detail, parts } of indexes) {
      detail.watch = this.watch(parts, slices);
      if (parts && detail.watch) watching.add(parts);
    }
    zeroed.indexes = watching.size;
    return table;
  }

  private watch(parts: RelationParts | undefined, slices: Map<number, ZeroSlice>): Watch | null {
    const known = parts?.known;
    const main = known?.ready ? known.table?.main : undefined;
    const slice = main === undefined ? undefined : slices.get(main);
    if (!known || main === undefined || !slice || !ACCESS_METHODS[known.access]?.rows) return null;
    return { access: known.access, slice, table: this.request.relations.entries[main]?.path ?? '', segmentPages: this.request.control.relationSegmentPages };
  }

  private async verify(files: File[], zeroes: ZeroTable | null): Promise<void> {
    const { control, logEnd, judgeStale, table } = this.request;
    await this.pass<PageConfig, PageDetail, PageResult>({
      verifier: new URL('./verifier.js', import.meta.url),
      config: { pageBytes: control.pageBytes, checksums: control.checksums, logEnd, table: table.shared, judgeStale, zeroes: zeroes?.shared ?? null },
      files: files.map(({ map, detail }) => ({ map, detail })),
      blockBytes: BLOCK_BYTES,
      onResult: ({ facts, zeroes: seen }) => {
        addPageFacts(this.relations.pages, facts);
        addTallies(this.zeroed.lost, seen.lost);
        this.zeroes.add(seen.runs);
      },
    });
    this.doneBytes += files.reduce((sum, { map }) => sum + map.sizeBytes, 0);
  }

  /** A second look at the few indexes that hold zero pages: which of these do their other pages point to? */
  private async readLinks(indexes: File[]): Promise<void> {
    const { control, table, relations } = this.request;
    const { table: zeroes, slices } = ZeroTable.of(
      this.zeroes,
      this.zeroes.relations.filter((relation) => indexes.some(({ parts }) => parts?.main === relation)),
    );
    const files = indexes.flatMap(({ map, detail, parts }): PageFile<LinkDetail>[] => {
      const slice = slices.get(parts?.main ?? -1);
      const access = parts?.known?.access ?? 0;
      if (!parts || !slice || !(access in ACCESS_METHODS)) return [];
      const { path, relation, firstBlock } = detail;
      return [{ map, detail: { firstPath: relations.entries[parts.main]?.path ?? path, relation, firstBlock, access, slice } }];
    });
    await this.pass<LinkConfig, LinkDetail, LinksFound>({
      verifier: new URL('./link-verifier.js', import.meta.url),
      config: {
        ...{ pageBytes: control.pageBytes, segmentPages: control.relationSegmentPages, checksums: control.checksums },
        ...{ table: table.shared, zeroes: zeroes.shared },
      },
      files,
      blockBytes: LINK_BLOCK_BYTES,
      onResult: (found) => addTallies({ link: this.zeroed.lost.link }, found),
    });
  }

  private pass<Config, Detail, Result>(pass: Omit<PagePass<Config, Detail, Result>, 'signal' | 'progress'>): Promise<void> {
    const { signal, progress } = this.request;
    const done = this.doneBytes;
    return runPagePass({ ...pass, signal, progress: (doneBytes) => progress(Math.min(done + doneBytes, this.relations.bytes), this.relations.bytes) });
  }
}

function isOfIndex({ entry, parts }: File): boolean {
  return entry.fork === 'main' && parts?.known?.kind === 'i';
}
