/** Who uses which page: every page belongs to exactly one thing, and the pointer map (if any) says the same. */

import type { Defects } from '../defects.js';
import { type Geometry, PTRMAP, PTRMAP_ENTRY_BYTES, pointerMapPage, pointerMapPages, pointerMapSpan } from '../format/geometry.js';
import { PageSet } from '../page-set.js';
import type { PageView } from '../page-view.js';

/** Pointer maps of larger databases are not held in memory and so not compared. */
const MAX_POINTER_MAP_BYTES = 64 * 1024 * 1024;

export type PageUse = (typeof PTRMAP)[keyof typeof PTRMAP];

export interface Claim {
  page: number;
  use: PageUse;
  /** The page that refers to it; 0 for roots and free pages. */
  parent: number;
  tree: string;
}

const USE_NAMES: Record<number, string> = { 1: 'a root', 2: 'free', 3: 'the start of an overflow chain', 4: 'part of an overflow chain', 5: 'a b-tree page' };

export class PageClaims {
  private readonly claimed = new PageSet();
  pointerMapCompared = false;
  private readonly maps = new Map<number, Buffer>();

  constructor(
    private readonly view: PageView,
    private readonly geometry: Geometry,
    private readonly defects: Defects,
  ) {}

  /** Loads the pointer map, unless it is too large. */
  async loadPointerMap(signal: AbortSignal): Promise<void> {
    const { geometry, view } = this;
    this.pointerMapCompared = geometry.autoVacuum && pointerMapPages(geometry) * geometry.pageSize <= MAX_POINTER_MAP_BYTES;
    if (!this.pointerMapCompared) return;
    for (let first = 2; first <= geometry.pageCount; first += pointerMapSpan(geometry)) {
      signal.throwIfAborted();
      const page = pointerMapPage(first, geometry);
      if (page <= geometry.pageCount) this.maps.set(page, await view.read(page, 1));
    }
  }

  /** Pages that nothing may refer to: the one with the lock bytes and those of the pointer map. */
  private isReserved(page: number): boolean {
    return page === this.geometry.lockPage || (this.geometry.autoVacuum && page >= 2 && pointerMapPage(page, this.geometry) === page);
  }

  /** How many pages belong to nothing. */
  unclaimed(): number {
    const { geometry } = this;
    const lock = geometry.lockPage <= geometry.pageCount ? 1 : 0;
    return geometry.pageCount - lock - (geometry.autoVacuum ? pointerMapPages(geometry) : 0) - this.claimed.size;
  }

  /** The first `limit` of them. */
  firstUnclaimed(limit: number): number[] {
    const result: number[] = [];
    for (let page = 1; page <= this.geometry.pageCount && result.length < limit; page++) {
      if (!this.claimed.has(page) && !this.isReserved(page)) result.push(page);
    }
    return result;
  }

  /** True when the page may be visited; else the reason has been noted. */
  take(claim: Claim): boolean {
    const { page, parent, tree } = claim;
    const { pageCount } = this.geometry;
    const by = parent === 0 ? 'the header or schema' : `page ${parent}`;
    if (page < 1 || page > pageCount) return this.refuse('sqlite.page.outside', claim, `is referred to by ${by}, but the database has only ${pageCount} pages`);
    if (this.isReserved(page))
      return this.refuse('sqlite.page.reserved', claim, `is referred to by ${by}, but is one that holds no data (pointer map or lock bytes)`);
    if (!this.claimed.add(page)) return this.refuse('sqlite.page.used-twice', claim, `is referred to by ${by}, but is in use elsewhere too`);
    if (this.pointerMapCompared) this.compareMap(claim);
    if (claim.use === PTRMAP.free || this.view.isPresent(page)) return true;
    this.defects.add('sqlite.page.missing', page, tree, `is in use but lies behind the end of the file`);
    return false;
  }

  private refuse(code: string, claim: Claim, what: string): false {
    this.defects.add(code, claim.page, claim.tree, what);
    return false;
  }

  private compareMap(claim: Claim): void {
    if (claim.page === 1) return;
    const mapPage = pointerMapPage(claim.page, this.geometry);
    const at = (claim.page - mapPage - 1) * PTRMAP_ENTRY_BYTES;
    const map = this.maps.get(mapPage);
    if (!map || at < 0) return;
    const use = map[at] as number;
    const parent = map.readUInt32BE(at + 1);
    if (use === claim.use && parent === claim.parent) return;
    const said = `${USE_NAMES[use] ?? `of unknown use ${use}`}${parent ? ` below page ${parent}` : ''}`;
    const is = `${USE_NAMES[claim.use]}${claim.parent ? ` below page ${claim.parent}` : ''}`;
    this.defects.add('sqlite.pointer-map', claim.page, claim.tree, `is ${is}, but the pointer map on page ${mapPage} says it is ${said}`);
  }
}
