/** Arithmetic of one database's pages. Source: https://sqlite.org/fileformat2.html, sections 1.4 to 1.8. */
import { lockBytePage } from './header.js';

export interface Geometry {
  pageSize: number;
  usableBytes: number;
  pageCount: number;
  autoVacuum: boolean;
  lockPage: number;
  /** Largest payload that stays whole on a table leaf, on an index page; least part kept when it does not. */
  maxLocalTable: number;
  maxLocalIndex: number;
  minLocal: number;
}

export function geometryOf(pageSize: number, usableBytes: number, pageCount: number, autoVacuum: boolean): Geometry {
  return {
    pageSize,
    usableBytes,
    pageCount,
    autoVacuum,
    lockPage: lockBytePage(pageSize),
    maxLocalTable: usableBytes - 35,
    maxLocalIndex: Math.floor(((usableBytes - 12) * 64) / 255) - 23,
    minLocal: Math.floor(((usableBytes - 12) * 32) / 255) - 23,
  };
}

/** Bytes of a payload that lie in the cell itself; the rest lies in its overflow chain. */
export function localBytes(payloadBytes: number, maxLocal: number, geometry: Geometry): number {
  if (payloadBytes <= maxLocal) return payloadBytes;
  const surplus = geometry.minLocal + ((payloadBytes - geometry.minLocal) % (geometry.usableBytes - 4));
  return surplus <= maxLocal ? surplus : geometry.minLocal;
}

/** Length in pages of the overflow chain that holds `restBytes`. */
export function overflowPages(restBytes: number, geometry: Geometry): number {
  return Math.ceil(restBytes / (geometry.usableBytes - 4));
}

export const PTRMAP_ENTRY_BYTES = 5;
/** What a pointer map says a page is. */
export const PTRMAP = { root: 1, free: 2, overflowFirst: 3, overflowNext: 4, btree: 5 } as const;

/** The pointer map page with the entry of `page`; itself for a pointer map page. Only for auto-vacuum and `page >= 2`. */
export function pointerMapPage(page: number, geometry: Geometry): number {
  const span = Math.floor(geometry.usableBytes / PTRMAP_ENTRY_BYTES) + 1;
  const mapPage = Math.floor((page - 2) / span) * span + 2;
  return mapPage === geometry.lockPage ? mapPage + 1 : mapPage;
}

/** Number of pages between two pointer map pages, itself included. */
export function pointerMapSpan(geometry: Geometry): number {
  return Math.floor(geometry.usableBytes / PTRMAP_ENTRY_BYTES) + 1;
}

/** How many pointer map pages an auto-vacuum database has. */
export function pointerMapPages(geometry: Geometry): number {
  if (geometry.pageCount < 2) return 0;
  const groups = Math.floor((geometry.pageCount - 2) / pointerMapSpan(geometry)) + 1;
  // The last one may have been moved behind the lock bytes and so behind the end.
  return pointerMapPage(geometry.pageCount, geometry) > geometry.pageCount ? groups - 1 : groups;
}
