/** Runs in the threads of the page pass: the checksum of every page of Aria tables. */
import { addTallies, emptyTallies, keepExample, type Tally } from '../../src/bytes/page-facts.js';
import type { PageBlock, PageVerifier } from '../../src/bytes/page-pool.js';
import { pageProof } from './format/aria.js';

export const BLOCK_BYTES = 256 * 1024;

export interface AriaConfig {
  pageBytes: number;
}

export interface AriaDetail {
  path: string;
  isIndex: boolean;
  /** Pages before it are the header of the index file, which has no checksum. */
  firstPage: number;
}

export interface AriaPages {
  pages: number;
  proven: number;
  /** Empty, or written without a checksum. */
  bare: number;
  kinds: Record<'checksum' | 'partial', Tally>;
}

export function emptyAriaPages(): AriaPages {
  return { pages: 0, proven: 0, bare: 0, kinds: emptyTallies(['checksum', 'partial'] as const) };
}

export function addAriaPages(into: AriaPages, more: AriaPages): void {
  for (const key of ['pages', 'proven', 'bare'] as const) into[key] += more[key];
  addTallies(into.kinds, more.kinds);
}

export function createVerifier(config: AriaConfig): PageVerifier<AriaDetail, AriaPages> {
  return new AriaVerifier(config.pageBytes);
}

class AriaVerifier implements PageVerifier<AriaDetail, AriaPages> {
  readonly buffer = new Uint8Array(BLOCK_BYTES);
  private found = emptyAriaPages();

  constructor(private readonly pageBytes: number) {}

  takeResult(): AriaPages {
    const { found } = this;
    this.found = emptyAriaPages();
    return found;
  }

  verify({ detail, offset, lengthBytes }: PageBlock<AriaDetail>): void {
    const { pageBytes } = this;
    for (let at = 0; at + pageBytes <= lengthBytes; at += pageBytes) this.judge(detail, (offset + at) / pageBytes, this.buffer.subarray(at, at + pageBytes));
    const rest = lengthBytes % pageBytes;
    if (rest !== 0) keepExample(this.found.kinds.partial, { file: detail.path, block: Math.floor((offset + lengthBytes) / pageBytes), bytes: rest });
  }

  private judge(detail: AriaDetail, number: number, page: Uint8Array): void {
    if (number < detail.firstPage) return;
    this.found.pages++;
    const proof = page.every((byte) => byte === 0) ? 'none' : pageProof(page, number, detail.isIndex);
    if (proof === 'good') this.found.proven++;
    else if (proof === 'none') this.found.bare++;
    else keepExample(this.found.kinds.checksum, { file: detail.path, block: number });
  }
}
