/**
 * One b-tree page: header, cell pointers, cells, free blocks, fragments.
 * Source: https://sqlite.org/fileformat2.html, section 1.6.
 */

import { type Geometry, localBytes, overflowPages } from './geometry.js';
import { HEADER_BYTES } from './header.js';
import { VarintReader } from './varint.js';

export const PAGE_TYPE = { indexInterior: 2, tableInterior: 5, indexLeaf: 10, tableLeaf: 13 } as const;
/** No page holds more cells: each takes a 2-byte pointer and at least 4 bytes. */
const MAX_CELLS = Math.ceil(65536 / 6);
/** SQLite refuses payloads of 2 GiB. */
const MAX_PAYLOAD_BYTES = 0x7fffffff;

/**
 * Parses one page after the other into the same arrays; entry `i` of each describes cell `i`.
 * Nothing is trusted: `parse` gives the first contradiction found, as a sentence part, or null.
 */
export class BtreePage {
  type = 0;
  isLeaf = false;
  isTable = false;
  cellCount = 0;
  /** Of an interior page; 0 on a leaf. */
  rightChild = 0;
  /** Rowid as two halves; only on table pages. */
  readonly keyHi = new Int32Array(MAX_CELLS);
  readonly keyLo = new Uint32Array(MAX_CELLS);
  readonly leftChild = new Uint32Array(MAX_CELLS);
  readonly payloadStart = new Uint32Array(MAX_CELLS);
  readonly payloadBytes = new Uint32Array(MAX_CELLS);
  readonly localPayloadBytes = new Uint32Array(MAX_CELLS);
  /** First page of the overflow chain, 0 for none. */
  readonly overflow = new Uint32Array(MAX_CELLS);
  /** Of every cell and free block: start * 65536 + last byte. */
  private readonly spans = new Uint32Array(MAX_CELLS + 65536 / 4);
  private spanCount = 0;
  private readonly varint = new VarintReader();

  constructor(private readonly geometry: Geometry) {}

  /** `page` holds exactly one page. */
  parse(page: Buffer, pageNumber: number): string | null {
    const at = pageNumber === 1 ? HEADER_BYTES : 0;
    this.cellCount = 0;
    this.spanCount = 0;
    this.type = page[at] as number;
    const known = this.type === 13 || this.type === 10 || this.type === 5 || this.type === 2;
    if (!known) return isZero(page) ? 'is all zero where a b-tree page must be' : `has type ${this.type}, which is no b-tree page`;
    this.isLeaf = this.type >= 10;
    this.isTable = this.type === PAGE_TYPE.tableLeaf || this.type === PAGE_TYPE.tableInterior;
    this.rightChild = this.isLeaf ? 0 : page.readUInt32BE(at + 8);
    const contentStart = ((page[at + 5] as number) << 8) | (page[at + 6] as number) || 65536;
    const cellCount = ((page[at + 3] as number) << 8) | (page[at + 4] as number);
    const pointers = at + (this.isLeaf ? 8 : 12);
    if (contentStart > this.geometry.usableBytes) return `says its content begins at ${contentStart}, outside the page`;
    if (pointers + 2 * cellCount > contentStart || cellCount > MAX_CELLS) return `says it has ${cellCount} cells, more than fit before its content`;
    return this.parseCells(page, pointers, cellCount, contentStart) ?? this.parseSpace(page, at, contentStart);
  }

  private parseCells(page: Buffer, pointers: number, cellCount: number, contentStart: number): string | null {
    const last = this.geometry.usableBytes - 4;
    for (let cell = 0; cell < cellCount; cell++) {
      const pointer = pointers + 2 * cell;
      const start = ((page[pointer] as number) << 8) | (page[pointer + 1] as number);
      if (start < contentStart || start > last) return `has cell ${cell} at offset ${start}, outside its content`;
      const end = this.isTable && !this.isLeaf ? this.parseTableInterior(page, cell, start) : this.parsePayloadCell(page, cell, start);
      if (end < 0 || end > this.geometry.usableBytes) return `has cell ${cell} at offset ${start}, which runs off the page`;
      this.spans[this.spanCount++] = start * 65536 + Math.max(end, start + 4) - 1;
    }
    this.cellCount = cellCount;
    return null;
  }

  /** Gives the offset behind the cell, or -1 when it cannot be right. */
  private parseTableInterior(page: Buffer, cell: number, start: number): number {
    this.leftChild[cell] = page.readUInt32BE(start);
    this.overflow[cell] = 0;
    if (!this.varint.read(page, start + 4, this.geometry.usableBytes)) return -1;
    this.keyHi[cell] = this.varint.hi;
    this.keyLo[cell] = this.varint.lo;
    return this.varint.next;
  }

  private parsePayloadCell(page: Buffer, cell: number, start: number): number {
    const { geometry, varint } = this;
    const head = this.isLeaf ? start : start + 4;
    this.leftChild[cell] = this.isLeaf ? 0 : page.readUInt32BE(start);
    if (!varint.read(page, head, geometry.usableBytes)) return -1;
    const payload = varint.lo;
    if (varint.hi !== 0 || payload > MAX_PAYLOAD_BYTES) return -1;
    if (this.isTable) {
      if (!varint.read(page, varint.next, geometry.usableBytes)) return -1;
      this.keyHi[cell] = varint.hi;
      this.keyLo[cell] = varint.lo;
    }
    const maxLocal = this.isTable ? geometry.maxLocalTable : geometry.maxLocalIndex;
    const local = payload <= maxLocal ? payload : localBytes(payload, maxLocal, geometry);
    this.payloadStart[cell] = varint.next;
    this.payloadBytes[cell] = payload;
    this.localPayloadBytes[cell] = local;
    this.overflow[cell] = 0;
    const end = varint.next + local;
    return local === payload ? end : this.parseOverflow(page, cell, end);
  }

  private parseOverflow(page: Buffer, cell: number, at: number): number {
    if (at + 4 > this.geometry.usableBytes) return -1;
    const first = page.readUInt32BE(at);
    this.overflow[cell] = first;
    return first === 0 ? -1 : at + 4;
  }

  /** Length of the overflow chain of a cell in pages. */
  overflowLength(cell: number): number {
    return overflowPages((this.payloadBytes[cell] as number) - (this.localPayloadBytes[cell] as number), this.geometry);
  }

  /** Free blocks in order, nothing used twice, and as many fragment bytes as the header says. */
  private parseSpace(page: Buffer, at: number, contentStart: number): string | null {
    const wrong = this.parseFreeBlocks(page, page.readUInt16BE(at + 1), contentStart);
    if (wrong) return wrong;
    this.sortSpans();
    let position = contentStart;
    let fragmentBytes = 0;
    for (let i = 0; i < this.spanCount; i++) {
      const span = this.spans[i] as number;
      const start = span >>> 16;
      if (start < position) return `uses the bytes at offset ${start} twice`;
      fragmentBytes += start - position;
      position = (span & 0xffff) + 1;
    }
    fragmentBytes += this.geometry.usableBytes - position;
    const claimed = page[at + 7] as number;
    return fragmentBytes === claimed ? null : `has ${fragmentBytes} bytes that belong to nothing, its header says ${claimed}`;
  }

  private parseFreeBlocks(page: Buffer, first: number, contentStart: number): string | null {
    const { usableBytes } = this.geometry;
    if (first !== 0 && first < contentStart) return `has a free block at offset ${first}, before its content`;
    for (let block = first; block !== 0; ) {
      if (block > usableBytes - 4) return `has a free block at offset ${block}, outside the page`;
      const sizeBytes = page.readUInt16BE(block + 2);
      const next = page.readUInt16BE(block);
      if (sizeBytes < 4 || block + sizeBytes > usableBytes) return `has a free block of ${sizeBytes} bytes at offset ${block}, which cannot be`;
      if (next !== 0 && next <= block + sizeBytes + 3) return `has free blocks out of order at offset ${block}`;
      this.spans[this.spanCount++] = block * 65536 + block + sizeBytes - 1;
      block = next;
    }
    return null;
  }

  /** Rows that were appended lie in descending order: turning them round is cheaper than sorting. */
  private sortSpans(): void {
    const spans = this.spans.subarray(0, this.spanCount);
    let ascending = true;
    let descending = true;
    for (let i = 1; i < spans.length; i++) {
      if ((spans[i] as number) < (spans[i - 1] as number)) ascending = false;
      else descending = false;
    }
    if (ascending) return;
    if (descending) spans.reverse();
    else spans.sort();
  }
}

function isZero(page: Buffer): boolean {
  return page.every((byte) => byte === 0);
}
