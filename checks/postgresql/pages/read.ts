/**
 * Reads every page of every relation once: tables first, then indexes, whose pointers to rows are held against the zero pages of their
 * tables on the way. Indexes that hold zero pages themselves are read a second time for what points to these.
 */
import { addTallies } from '../../../src/bytes/page-facts.js';
import { type PagePass, runPagePass } from '../../../src/bytes/page-pool.js';
import { addPageFacts } from './facts.js';
import { LINK_BLOCK_BYTES, type LinkConfig, type LinkDetail, type LinksFound } from './link-verifier.js';
import { linkPass } from './links.js';
import { emptyRelationFacts, noteUnreadable, type RelationFacts, shortSegments } from './relation-facts.js';
import { isOfIndex, type PagesRequest, type RelationPages } from './request.js';
import { FileRoles } from './roles.js';
import { BLOCK_BYTES, type PageConfig, type PageDetail, type PageResult } from './verifier.js';
import { watchTables } from './watches.js';
import { lookUpInMaps } from './zero-maps.js';
import { ZeroRuns } from './zero-runs.js';
import type { ZeroTable } from './zero-table.js';
import { emptyZeroedFacts, type ZeroedFacts } from './zeroed-facts.js';

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
    const { request, zeroes, zeroed } = this;
    const { entries } = request.relations;
    const kept = entries.filter((entry) => !this.roles.isDropped(entry));
    this.relations.shortSegments = shortSegments(kept, request.control.pageBytes * request.control.relationSegmentPages);
    const files = this.files();
    const [tables, indexes] = [files.filter((file) => !isOfIndex(file)), files.filter(isOfIndex)];
    await this.verify(tables, null);
    zeroed.maps = await lookUpInMaps(request, zeroes, zeroed.lost.map);
    const { table, watching } = watchTables(request, indexes, zeroes);
    await this.verify(indexes, table);
    await this.readLinks(indexes);
    Object.assign(zeroed, { indexes: watching, pages: zeroes.blocks, relations: zeroes.relations.length, leftOut: zeroes.leftOut });
  }

  private files(): RelationPages[] {
    const files: RelationPages[] = [];
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

  private async verify(files: RelationPages[], zeroes: ZeroTable | null): Promise<void> {
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

  private async readLinks(indexes: RelationPages[]): Promise<void> {
    await this.pass<LinkConfig, LinkDetail, LinksFound>({
      ...linkPass(this.request, indexes, this.zeroes),
      verifier: new URL('./link-verifier.js', import.meta.url),
      blockBytes: LINK_BLOCK_BYTES,
      onResult: (found) => addTallies({ link: this.zeroed.lost.link }, found),
    });
  }

  private pass<Config, Detail, Result>(pass: Omit<PagePass<Config, Detail, Result>, 'signal' | 'progress'>): Promise<void> {
    const { signal, progress } = this.request;
    const [before, all] = [this.doneBytes, this.relations.bytes];
    return runPagePass({ ...pass, signal, progress: (doneBytes) => progress(Math.min(before + doneBytes, all), all) });
  }
}
