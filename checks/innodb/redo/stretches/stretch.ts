/** One stretch of log, block after block, in bounded memory. */
import { STREAM_MARGIN_BYTES, type Stream } from '../../../../src/bytes/crc32c-stream.js';
import { MAX_MTR_BYTES, type MtrVisitor, visitMtr } from '../../format/mini-transaction.js';
import type { MtrIndex } from '../mtr-index.js';
import { findChainStart } from './chain-start.js';
import type { StretchDetail, StretchKind, StretchNote, StretchResult } from './detail.js';
import { MARK, type PageMarks } from './page-marks.js';
import { type MarksOf, type RecordLoop, RecordWalk } from './record-walk.js';

/** What is not whole at the end of a block is kept before the next one. */
export const KEPT_BYTES = MAX_MTR_BYTES + 64 * 1024;
/** Where blocks are read to. */
export const BLOCK_AT = KEPT_BYTES + STREAM_MARGIN_BYTES;

const MOST_NOTES = 10_000;
/** As `LogKnowledge` takes them. */
const MARKS_OF: Record<StretchKind, MarksOf> = {
  replayed: { free: MARK.renewed, init: MARK.renewed, change: MARK.touched },
  past: { free: MARK.released, init: MARK.required, change: MARK.required },
  'lap before': { free: 0, init: 0, change: 0 },
};
const NOTHING = new Uint8Array(0);

/** What every stretch of a thread uses again. */
export interface StretchTools {
  /** Kept bytes, then the block. */
  bytes: Uint8Array;
  loop: RecordLoop;
  stream: Stream;
  index: MtrIndex;
  marks: PageMarks;
}

export class Stretch {
  private readonly walk: RecordWalk;
  private readonly notes: StretchNote[] = [];
  private head: Uint8Array | null = null;
  private kept = 0;
  private nextLsn: number;
  private endLsn: number;
  private broken = false;
  private ended = false;

  constructor(
    readonly detail: StretchDetail,
    private readonly startLsn: number,
    private readonly tools: StretchTools,
  ) {
    this.nextLsn = startLsn;
    this.endLsn = startLsn;
    tools.marks.clear();
    const visits = detail.kind !== 'lap before';
    const odd = (at: number, end: number, lsn: number) => this.visit(at, end, lsn);
    this.walk = new RecordWalk(tools.loop, detail, visits ? 0 : 1, { marks: tools.marks, marksOf: MARKS_OF[detail.kind], visits, odd });
    if (detail.exact && startLsn === detail.startLsn) this.head = NOTHING;
  }

  /** LSN of the byte that comes next. */
  get position(): number {
    return this.endLsn;
  }

  /** Takes the next block, of which there are so many bytes. */
  take(lengthBytes: number): void {
    const limit = BLOCK_AT + lengthBytes;
    const from = BLOCK_AT - this.kept;
    this.endLsn += lengthBytes;
    if (this.broken || this.ended) return;
    const start = this.head ? from : this.findHead(from, limit);
    if (start < 0) this.broken = true;
    else this.follow(start, limit);
  }

  /** The first mini-transaction begins in the first block, or nowhere. */
  private findHead(from: number, limit: number): number {
    const { bytes, index } = this.tools;
    const found = findChainStart(bytes.subarray(from, limit), this.nextLsn, this.detail, index);
    if (found === null) return -1;
    this.head = bytes.slice(from, from + found);
    this.nextLsn += found;
    return from + found;
  }

  private follow(from: number, limit: number): void {
    const { bytes, stream, marks } = this.tools;
    const next = this.walk.walk(from, limit, this.nextLsn - from, this.startLsn);
    const proven = next === from || stream.remainder(from, next) === 0;
    this.nextLsn += next - from;
    this.kept = limit - next;
    this.ended = this.walk.stoppedBy === 'bad';
    this.broken = !proven || this.walk.stoppedBy === 'contradiction' || marks.overflowed || this.kept > KEPT_BYTES;
    if (!this.broken && !this.ended) bytes.copyWithin(BLOCK_AT - this.kept, next, limit);
  }

  private visit(at: number, end: number, lsn: number): boolean {
    this.lsn = lsn;
    const [visitor, before] = [this.detail.kind === 'past' ? this.past : this.replayed, this.checkpoints];
    this.marked = false;
    const isWhole = visitMtr(this.tools.bytes, at, end, false, visitor) && this.notes.length < MOST_NOTES;
    // Which of both comes first cannot be told by LSNs; no server writes such.
    return isWhole && !(this.marked && this.checkpoints > before);
  }

  /** Of what is visited, relative. */
  private lsn = 0;
  private marked = false;
  private checkpoints = 0;

  private mark(mark: number, space: number, page: number): void {
    this.marked = true;
    this.tools.marks.set(mark, space | 0, page | 0, this.lsn);
  }

  private trim(space: number, page: number): void {
    this.notes.push({ what: 'trim', space, page, at: this.lsn });
  }

  private file(what: 'create' | 'delete' | 'rename' | 'modify', space: number, name: string, to: string | null): void {
    this.notes.push({ what, space, name, to, at: this.lsn });
  }

  private readonly past: MtrVisitor = {
    write: (space, page) => this.mark(MARKS_OF.past.change, space, page),
    init: (space, page) => this.mark(MARKS_OF.past.init, space, page),
    free: (space, page) => this.mark(MARKS_OF.past.free, space, page),
    release: (space, page) => this.mark(MARKS_OF.past.free, space, page),
    trim: (space, page) => this.trim(space, page),
    file: (what, space, name, to) => what === 'delete' && this.file(what, space, name, to),
    checkpoint: () => {},
  };

  private readonly replayed: MtrVisitor = {
    write: (space, page) => this.mark(MARKS_OF.replayed.change, space, page),
    init: (space, page) => this.mark(MARKS_OF.replayed.init, space, page),
    free: (space, page) => this.mark(MARKS_OF.replayed.free, space, page),
    release: () => {},
    trim: (space, page) => this.trim(space, page),
    file: (what, space, name, to) => this.file(what, space, name, to),
    checkpoint: (lsn) => {
      this.checkpoints++;
      this.notes.push({ what: 'checkpoint', lsn, at: this.lsn });
    },
  };

  result(): StretchResult {
    const { bytes, marks } = this.tools;
    const { startLsn, endLsn, nextLsn, notes } = this;
    const broken = this.broken || this.head === null;
    const tail = broken || this.ended ? NOTHING : bytes.slice(BLOCK_AT - this.kept, BLOCK_AT);
    const said = broken ? { marks: new Int32Array(0), notes: [] } : { marks: marks.take(), notes };
    return { kind: this.detail.kind, startLsn, endLsn, broken, ended: this.ended, nextLsn, head: this.head ?? NOTHING, tail, mtrs: this.walk.mtrs, ...said };
  }
}
