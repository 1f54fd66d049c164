/**
 * Which pages are in use. A GAM page has one bit per extent of 8 pages (1: free) for 511,232 pages; a PFS page has one byte per page
 * for 8,088 pages (bit 6: allocated). Source: "Pages and Extents Architecture Guide" of Microsoft's documentation, and Paul Randal's
 * articles on GAM and PFS pages.
 */
import { PAGE_BYTES, PAGE_TYPES, type PageHeader } from './page.js';

export const PFS_PAGES = 8088;
export const GAM_PAGES = 511_232;
const EXTENT_PAGES = 8;

const PFS_BYTES_AT = 100;
const PFS_ALLOCATED = 0x40;
const GAM_BITS_AT = 194;

/** Page number of the PFS page for interval `index`. */
export function pfsPage(index: number): number {
  return index === 0 ? 1 : index * PFS_PAGES;
}

export function gamPage(index: number): number {
  return index === 0 ? 2 : index * GAM_PAGES;
}

/** A page where such a map must be, is one. */
export function isMap(header: PageHeader, type: 'gam' | 'pfs', page: number, file: number): boolean {
  return header.version === 1 && header.type === PAGE_TYPES[type] && header.page === page && header.file === file;
}

/** Whether the page `index` (0..8087 within the interval) is allocated. */
export function isAllocated(pfs: Uint8Array, index: number): boolean {
  return ((pfs[PFS_BYTES_AT + index] ?? 0) & PFS_ALLOCATED) !== 0;
}

/** Whether the extent with page `index` (0..511231 within the interval) is given out. */
export function isExtentUsed(gam: Uint8Array, index: number): boolean {
  const extent = Math.floor(index / EXTENT_PAGES);
  const at = GAM_BITS_AT + (extent >> 3);
  return at < PAGE_BYTES && ((gam[at] ?? 0xff) & (1 << (extent & 7))) === 0;
}
