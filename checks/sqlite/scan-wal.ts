/** Reads a write-ahead log once, from its header to its true end and beyond, in bounded memory. */
import type { ByteSource } from '../../src/types.js';
import {
  FRAME_HEADER_BYTES,
  frameBytes,
  frameContinues,
  parseFrameHeader,
  parseWalHeader,
  WAL_HEADER_BYTES,
  type WalFrameHeader,
  type WalHeader,
  type WalSum,
} from './format/wal.js';
import { PreviousLog } from './previous-log.js';

const BLOCK_BYTES = 4 * 1024 * 1024;
/** How far behind the log's end commits are looked for: a file may claim more bytes than any disk has. */
const MAX_BEHIND_END_BYTES = 256 * 1024 ** 2;

export interface WalFacts {
  sizeBytes: number;
  /** Why SQLite ignores the whole log; null when it does not. */
  ignored: string | null;
  pageSize: number;
  sequence: number;
  salt1: number;
  salt2: number;
  /** Whole frames that the file has room for. */
  frames: number;
  /** Frames from the beginning whose checksum chain is whole; those after the last commit do not count for readers. */
  chainedFrames: number;
  committedFrames: number;
  commits: number;
  /** Size of the database in pages after the last commit. */
  commitPages: number;
  highestPage: number;
  /** The frame where the chain ends although the file goes on; `sameSalts` says that its header is of this log. */
  brokenFrame: { frame: number; sameSalts: boolean } | null;
  /** Commits of this very log that lie behind the broken frame and chain among each other: what a hole leaves. */
  laterCommits: number;
  lastLaterCommit: number;
  /** At the end of the file, too far behind the log's end to be looked at. */
  unscannedBytes: number;
  /** Change counters in the first and last committed copy of page 1. */
  firstCounter: number | null;
  lastCounter: number | null;
}

export interface WalScan {
  facts: WalFacts;
  /** Offset in the log of the newest committed copy of each page. */
  pages: Map<number, number>;
  /** Null: the log has no header. */
  previous: PreviousLog | null;
}

/** Scans a log. Throws only what the source throws. */
export async function scanWal(source: ByteSource, signal: AbortSignal): Promise<WalScan> {
  const parsed = parseWalHeader(await source.read(0, Math.min(WAL_HEADER_BYTES, source.sizeBytes)));
  if (typeof parsed === 'string') return { facts: { ...emptyFacts(source.sizeBytes), ignored: parsed }, pages: new Map(), previous: null };
  const scanner = new WalScanner(parsed.header, parsed.sum, source.sizeBytes);
  const frameSize = frameBytes(parsed.header.pageSize);
  const perBlock = Math.max(1, Math.floor(BLOCK_BYTES / frameSize));
  for (let frame = 0; frame < scanner.facts.frames; frame += perBlock) {
    signal.throwIfAborted();
    if ((frame - scanner.facts.chainedFrames) * frameSize > MAX_BEHIND_END_BYTES) {
      scanner.facts.unscannedBytes = source.sizeBytes - WAL_HEADER_BYTES - frame * frameSize;
      break;
    }
    const count = Math.min(perBlock, scanner.facts.frames - frame);
    const block = await source.read(WAL_HEADER_BYTES + frame * frameSize, count * frameSize);
    for (let i = 0; i < count; i++) scanner.add(block, i * frameSize, frame + i + 1);
  }
  return { facts: scanner.facts, pages: scanner.pages, previous: scanner.before };
}

class WalScanner {
  readonly facts: WalFacts;
  readonly pages = new Map<number, number>();
  readonly before: PreviousLog;
  /** Frames since the last commit. */
  private open: { page: number; offset: number; counter: number | null }[] = [];
  /** The stored sum of the frame before, when that frame is of this log. */
  private previous: WalSum | null;

  constructor(
    private readonly header: WalHeader,
    private readonly sum: WalSum,
    sizeBytes: number,
  ) {
    const { pageSize, sequence, salt1, salt2 } = header;
    const frames = Math.max(0, Math.floor((sizeBytes - WAL_HEADER_BYTES) / frameBytes(pageSize)));
    this.facts = { ...emptyFacts(sizeBytes), pageSize, sequence, salt1, salt2, frames };
    this.previous = null;
    this.before = new PreviousLog(header);
  }

  /** @param number of the frame, counted from 1. */
  add(block: Buffer, at: number, number: number): void {
    const frame = parseFrameHeader(block, at);
    const sameSalts = frame.salt1 === this.header.salt1 && frame.salt2 === this.header.salt2;
    if (this.facts.brokenFrame) this.addBehindEnd(block, at, number, frame, sameSalts);
    else if (sameSalts && frame.page !== 0 && frameContinues(block, at, frame, this.header, this.sum)) this.addChained(block, at, number, frame);
    else this.facts.brokenFrame = { frame: number, sameSalts };
    if (this.facts.brokenFrame && !sameSalts) this.before.add(block, at, number, frame);
    this.previous = sameSalts ? frame.sum : null;
  }

  private addChained(block: Buffer, at: number, number: number, frame: WalFrameHeader): void {
    const offset = WAL_HEADER_BYTES + (number - 1) * frameBytes(this.header.pageSize) + FRAME_HEADER_BYTES;
    const counter = frame.page === 1 ? block.readUInt32BE(at + FRAME_HEADER_BYTES + 24) : null;
    this.open.push({ page: frame.page, offset, counter });
    this.facts.chainedFrames = number;
    if (frame.commitPages === 0) return;
    for (const { page, offset, counter } of this.open) this.commitPage(page, offset, counter);
    this.open = [];
    this.facts.committedFrames = number;
    this.facts.commitPages = frame.commitPages;
    this.facts.commits++;
  }

  private commitPage(page: number, offset: number, counter: number | null): void {
    this.pages.set(page, offset);
    this.facts.highestPage = Math.max(this.facts.highestPage, page);
    if (counter === null) return;
    this.facts.firstCounter ??= counter;
    this.facts.lastCounter = counter;
  }

  /** Frames of a transaction that was rolled back also lie behind the end, but none of them commits. */
  private addBehindEnd(block: Buffer, at: number, number: number, frame: WalFrameHeader, sameSalts: boolean): void {
    if (!sameSalts || !this.previous || frame.commitPages === 0 || frame.page === 0) return;
    if (!frameContinues(block, at, frame, this.header, { ...this.previous })) return;
    this.facts.laterCommits++;
    this.facts.lastLaterCommit = number;
  }
}

function emptyFacts(sizeBytes: number): WalFacts {
  return {
    sizeBytes,
    ignored: null,
    pageSize: 0,
    sequence: 0,
    salt1: 0,
    salt2: 0,
    frames: 0,
    chainedFrames: 0,
    committedFrames: 0,
    commits: 0,
    commitPages: 0,
    highestPage: 0,
    brokenFrame: null,
    laterCommits: 0,
    lastLaterCommit: 0,
    unscannedBytes: 0,
    firstCounter: null,
    lastCounter: null,
  };
}
