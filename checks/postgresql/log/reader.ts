/**
 * Takes the log page by page and gives its records, put together across pages, as long as they are valid:
 * page address, timeline and system right, previous-record link continuous, CRC right. It stops for good at the first that is not.
 * The rules are those of the server's own reader (src/backend/access/transam/xlogreader.c and src/include/access/xlog_internal.h).
 */

import { parseWalPage, type WalPageHeader } from '../format/wal-page.js';
import { parseRecordHeader, RECORD_HEADER_BYTES, type RecordHeader, recordCrcMatches } from '../format/wal-record.js';

export interface WalGeometry {
  version: number | null;
  systemId: string;
  pageBytes: number;
  segmentBytes: number;
  /** Pages of older timelines are leftovers. */
  leastTimeline: number;
}

/** A valid record: `bytes[offset..)` holds all of it, only until the visitor returns. */
export interface WalRecord extends RecordHeader {
  start: number;
  /** LSN after it: what a page changed by it carries. */
  end: number;
  bytes: Buffer;
  offset: number;
  version: number;
}

export type StopReason =
  | 'zeroes'
  | 'no page header'
  | 'page of another place'
  | 'page of another timeline'
  | 'page of another cluster'
  | 'continuation does not fit'
  | 'record length'
  | 'previous link'
  | 'record crc'
  | 'record too long'
  | 'end of files';

const SWITCH = 0x40;
const FIRST_SCRATCH_BYTES = 64 * 1024;
/** The server's own limit is 1020 MiB; whole records are held in memory, so we hold less. */
const MAX_RECORD_BYTES = 64 * 1024 * 1024;
/** Resource managers above 22 and below 128 exist in no version. */
const isResourceManager = (id: number): boolean => id <= 22 || id >= 128;

interface Partial {
  start: number;
  totalBytes: number;
  haveBytes: number;
}

export class WalReader {
  /** End of the last valid record. */
  end: number;
  stopped: StopReason | null = null;
  records = 0;
  timeline: number;
  version: number | null;
  lastStart: number | null = null;
  /** Where the record that stopped us begins. */
  position: number;
  private partial: Partial | null = null;
  private skipBytes = 0;
  private scratch = Buffer.alloc(0);

  /**
   * @param start LSN of the first record, or (with `synchronise`) of a page in which the first whole record is to be found.
   * @param visit called with every valid record, in order; false stops before it.
   */
  constructor(
    private readonly geometry: WalGeometry,
    start: number,
    private synchronise: boolean,
    private readonly visit: (record: WalRecord) => boolean,
  ) {
    this.position = start;
    this.end = start;
    this.timeline = geometry.leastTimeline;
    this.version = geometry.version;
  }

  /** Takes the page at `address` (a multiple of the page size, following the one before). Gives whether to go on. */
  feed(bytes: Buffer, offset: number, address: number): boolean {
    if (this.stopped) return false;
    const pageEnd = address + this.geometry.pageBytes;
    if (!this.partial && !this.synchronise && this.position >= pageEnd) return true; // after a switch: the rest of the segment is unused
    const header = parseWalPage(bytes, offset);
    const wrong = header ? this.judge(header, address) : 'no page header';
    if (!header || wrong) return this.stop(wrong ?? 'no page header');
    this.timeline = header.timeline;
    this.version = header.version;
    const first = this.startOfPage(header, bytes, offset, address);
    if (first === null) return this.stopped === null;
    return this.takeRecords(bytes, offset, address, first);
  }

  private judge(header: WalPageHeader, address: number): StopReason | null {
    if (header.address !== address) return 'page of another place';
    if (header.timeline < this.timeline || (this.version !== null && header.version !== this.version)) return 'page of another timeline';
    const long = header.long;
    if (address % this.geometry.segmentBytes === 0 && !long) return 'no page header';
    if (long && (long.systemId !== this.geometry.systemId || long.segmentBytes !== this.geometry.segmentBytes)) return 'page of another cluster';
    return null;
  }

  /** Handles what continues from earlier pages. Gives the place of the first record in the page, or null when there is none. */
  private startOfPage(header: WalPageHeader, bytes: Buffer, offset: number, address: number): number | null {
    const payload = this.geometry.pageBytes - header.headerBytes;
    if (this.synchronise) return this.skipContinuation(header, payload, address);
    if (!this.partial) {
      if (this.position > address) return this.position - address >= header.headerBytes ? this.position - address : this.fail('record length');
      if (header.remainingBytes > 0) return this.fail('continuation does not fit');
      this.position = address + header.headerBytes;
      return header.headerBytes;
    }
    if (header.overwritesContinuation) {
      this.partial = null;
      this.position = address + header.headerBytes;
      return header.headerBytes;
    }
    if (header.remainingBytes !== this.partial.totalBytes - this.partial.haveBytes) return this.fail('continuation does not fit');
    const taken = Math.min(header.remainingBytes, payload);
    if (!this.append(bytes, offset + header.headerBytes, taken)) return null;
    if (taken < header.remainingBytes) return null;
    return this.finishPartial(address + align(header.headerBytes + taken)) ? this.position - address : null;
  }

  private skipContinuation(header: WalPageHeader, payload: number, address: number): number | null {
    if (this.skipBytes > 0 && header.remainingBytes !== this.skipBytes) return this.fail('continuation does not fit');
    this.skipBytes = Math.max(0, header.remainingBytes - payload);
    if (this.skipBytes > 0) return null;
    this.synchronise = false;
    const place = align(header.headerBytes + header.remainingBytes);
    this.position = address + place;
    this.end = this.position;
    return place;
  }

  private takeRecords(bytes: Buffer, offset: number, address: number, first: number): boolean {
    const { pageBytes } = this.geometry;
    let place = first;
    while (place < pageBytes) {
      const totalBytes = bytes.readUInt32LE(offset + place);
      if (totalBytes === 0) return this.stop('zeroes');
      if (totalBytes < RECORD_HEADER_BYTES) return this.stop('record length');
      if (place + totalBytes > pageBytes) return this.beginPartial(bytes, offset + place, pageBytes - place, totalBytes);
      const end = address + align(place + totalBytes);
      if (!this.accept(bytes, offset + place, totalBytes, end)) return false;
      place = this.position - address;
    }
    return true;
  }

  private beginPartial(bytes: Buffer, at: number, available: number, totalBytes: number): boolean {
    if (totalBytes > MAX_RECORD_BYTES) return this.stop(available >= RECORD_HEADER_BYTES && !this.headerFits(bytes, at) ? 'previous link' : 'record too long');
    this.partial = { start: this.position, totalBytes, haveBytes: 0 };
    return this.append(bytes, at, available);
  }

  /** Adds bytes to the record begun earlier; its header is judged as soon as it is there, so that garbage is not followed. */
  private append(bytes: Buffer, at: number, count: number): boolean {
    const partial = this.partial;
    if (!partial) return false;
    const before = partial.haveBytes;
    const needed = before + count;
    if (needed > this.scratch.length) {
      const larger = Buffer.alloc(Math.max(needed, 2 * this.scratch.length, FIRST_SCRATCH_BYTES));
      this.scratch.copy(larger, 0, 0, before);
      this.scratch = larger;
    }
    bytes.copy(this.scratch, before, at, at + count);
    partial.haveBytes = needed;
    if (before < RECORD_HEADER_BYTES && needed >= RECORD_HEADER_BYTES && !this.headerFits(this.scratch, 0)) return this.stop('previous link');
    return true;
  }

  private finishPartial(end: number): boolean {
    const partial = this.partial;
    this.partial = null;
    return partial ? this.accept(this.scratch, 0, partial.totalBytes, end) : false;
  }

  private headerFits(bytes: Buffer, at: number): boolean {
    const header = parseRecordHeader(bytes, at);
    const linked = this.lastStart === null ? header.previous < this.position : header.previous === this.lastStart;
    return linked && isResourceManager(header.resourceManager);
  }

  private accept(bytes: Buffer, offset: number, totalBytes: number, end: number): boolean {
    if (!this.headerFits(bytes, offset)) return this.stop('previous link');
    if (!recordCrcMatches(bytes, offset, totalBytes)) return this.stop('record crc');
    const { transaction, previous, info, resourceManager, crc } = parseRecordHeader(bytes, offset);
    const isSwitch = resourceManager === 0 && (info & 0xf0) === SWITCH;
    const { segmentBytes } = this.geometry;
    const after = isSwitch ? Math.ceil(end / segmentBytes) * segmentBytes : end;
    const start = this.position;
    // Field by field: spreading the header here costs as much as everything else together.
    const record = { totalBytes, transaction, previous, info, resourceManager, crc, start, end: after, bytes, offset, version: this.version ?? 0 };
    if (!this.visit(record satisfies WalRecord)) return this.stop('end of files');
    this.lastStart = this.position;
    this.records++;
    this.position = after;
    this.end = after;
    return true;
  }

  private fail(reason: StopReason): null {
    this.stop(reason);
    return null;
  }

  private stop(reason: StopReason): false {
    this.stopped ??= reason;
    if (this.partial) this.position = this.partial.start;
    return false;
  }
}

function align(value: number): number {
  return Math.ceil(value / 8) * 8;
}
