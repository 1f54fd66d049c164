/**
 * What the log before this one still proves. A log is begun anew (first salt plus one) only when all of the last one has been copied
 * into the database; its last frames stay in the file until they are written over. So each page in them must be in the database,
 * as long as the present log has not changed it since: a page that is not was lost, or is of another instant.
 * Source: https://sqlite.org/fileformat2.html, section 4.3 (reset) and https://sqlite.org/walformat.html.
 */
import type { ByteSource } from '../../src/types.js';
import { FRAME_HEADER_BYTES, frameBytes, frameContinues, WAL_HEADER_BYTES, type WalFrameHeader, type WalHeader, type WalSum } from './format/wal.js';

export interface PreviousLogFacts {
  /** Pages that the previous log brought into the database and the present log has not changed. */
  comparedPages: number;
  stalePages: number;
  /** The first few of them. */
  examples: number[];
}

const MAX_EXAMPLES = 5;

/** Takes the frames behind the end of the present log, in order. */
export class PreviousLog {
  /** Offset in the log of the newest committed copy of each page. */
  readonly pages = new Map<number, number>();
  /** Size of the database in pages after its last commit. */
  commitPages = 0;
  private readonly salt1: number;
  private salt2: number | null = null;
  private sum: WalSum | null = null;
  private open: { page: number; offset: number }[] = [];
  private ended = false;

  constructor(private readonly header: WalHeader) {
    this.salt1 = (header.salt1 - 1) >>> 0;
  }

  /** @param number of the frame, counted from 1. Frames that do not chain end it: they may be remains of a crash. */
  add(block: Buffer, at: number, number: number, frame: WalFrameHeader): void {
    if (this.ended) return;
    const isOurs = frame.salt1 === this.salt1 && frame.page !== 0;
    if (this.sum === null) {
      // What the first one continues is written over: it cannot be verified, and only begins the chain.
      if (isOurs) this.begin(frame);
    } else if (isOurs && frame.salt2 === this.salt2 && frameContinues(block, at, frame, this.header, this.sum)) this.take(number, frame);
    else this.ended = true;
  }

  private begin(frame: WalFrameHeader): void {
    this.salt2 = frame.salt2;
    this.sum = { ...frame.sum };
  }

  private take(number: number, frame: WalFrameHeader): void {
    this.open.push({ page: frame.page, offset: WAL_HEADER_BYTES + (number - 1) * frameBytes(this.header.pageSize) + FRAME_HEADER_BYTES });
    if (frame.commitPages === 0) return;
    for (const { page, offset } of this.open) this.pages.set(page, offset);
    this.open = [];
    this.commitPages = frame.commitPages;
  }
}

/**
 * @param changed pages that the present log has changed: part of them may have been copied back already
 * @param pageCount of the database as it would be opened: pages behind it were given back
 */
export async function comparePreviousLog(
  previous: PreviousLog,
  files: { database: ByteSource; wal: ByteSource },
  pageSize: number,
  changed: ReadonlyMap<number, number>,
  pageCount: number,
): Promise<PreviousLogFacts> {
  const facts: PreviousLogFacts = { comparedPages: 0, stalePages: 0, examples: [] };
  const last = Math.min(pageCount, previous.commitPages);
  for (const [page, offset] of previous.pages) {
    if (page > last || changed.has(page)) continue;
    facts.comparedPages++;
    if (await samePage(files, pageSize, page, offset)) continue;
    facts.stalePages++;
    if (facts.examples.length < MAX_EXAMPLES) facts.examples.push(page);
  }
  return facts;
}

async function samePage({ database, wal }: { database: ByteSource; wal: ByteSource }, pageSize: number, page: number, offset: number): Promise<boolean> {
  const at = (page - 1) * pageSize;
  if (at + pageSize > database.sizeBytes) return false;
  const [logged, now] = await Promise.all([wal.read(offset, pageSize), database.read(at, pageSize)]);
  return logged.equals(now);
}
