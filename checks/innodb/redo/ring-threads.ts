/** The long pieces of a MariaDB 10.8 log, read by several threads. What they cannot follow is left to one, which says exactly where it ends. */
import type { ByteMap } from '../../../src/types.js';
import { isAllZero } from '../format/page.js';
import { RING_AT, type RingStream } from './ring.js';
import type { StretchTaker } from './stretches/chain.js';
import type { StretchKind } from './stretches/detail.js';
import { followStretches, type PieceOfLog } from './stretches/follow.js';

export interface RingThreadsRequest {
  map: ByteMap;
  /** Nothing of its records can be read. */
  opaque: boolean;
  signal: AbortSignal;
  progress(bytes: number): void;
  /** Shorter pieces are read as fast by one thread. */
  worthBytes: number;
}

/** LSNs. */
export interface Range {
  from: number;
  to: number;
}

/** How many bytes that are replayed the threads take at once: the end is not known beforehand. */
const REPLAYED_BYTES = 64 * 1024 * 1024;
/** Enough to see that nothing was written there yet. */
const PROBE_BYTES = 65536;
const IGNORED: StretchTaker = { between: () => {}, take: () => {} };

export class RingThreads {
  constructor(
    private readonly stream: RingStream,
    private readonly request: RingThreadsRequest,
  ) {}

  /** Records of an encrypted log are read by one thread. */
  isWorth({ from, to }: Range): boolean {
    return this.stream.form.nonceBytes === 0 && !this.request.opaque && to - from >= this.request.worthBytes;
  }

  /** From a place at which a mini-transaction starts. @returns up to where there is nothing but whole ones. */
  async replay({ from, to }: Range, taker: StretchTaker): Promise<number> {
    let position = from;
    for (;;) {
      const piece = { from: position, to: Math.min(position + REPLAYED_BYTES, to) };
      if (!this.isWorth(piece)) return position;
      const [found] = await this.follow([this.piece('replayed', piece, taker)]);
      if (!found || found.nextLsn === position) return position;
      position = found.nextLsn;
    }
  }

  /**
   * What is not replayed: the log of the lap before behind the end, as far as it is whole, for nothing of this lap lies in it; and what was
   * logged before the checkpoint. @returns up to where the one was passed; from where on the other is known, null when it has a gap.
   */
  async followOld(beyond: Range, past: Range, taker: StretchTaker): Promise<{ passedTo: number; pastFrom: number | null }> {
    const pieces: PieceOfLog[] = [];
    if (this.isWorth(beyond) && !(await this.isBlank(beyond.from))) pieces.push(this.piece('lap before', beyond, IGNORED));
    if (this.isWorth(past)) pieces.push(this.piece('past', past, taker));
    const found = pieces.length > 0 ? await this.follow(pieces) : [];
    const of = (kind: StretchKind) => found[pieces.findIndex(({ detail }) => detail.kind === kind)];
    const [lapBefore, history] = [of('lap before'), of('past')];
    return {
      passedTo: lapBefore && lapBefore.firstLsn !== null ? lapBefore.nextLsn : beyond.from,
      pastFrom: history?.nextLsn === past.to ? history.firstLsn : null,
    };
  }

  private piece(kind: StretchKind, { from, to }: Range, taker: StretchTaker): PieceOfLog {
    const { firstLsn, capacity } = this.stream;
    return { detail: { kind, startLsn: from, exact: kind === 'replayed', firstLsn, capacity }, toLsn: to, taker };
  }

  private follow(pieces: PieceOfLog[]): ReturnType<typeof followStretches> {
    const { map, signal, progress } = this.request;
    return followStretches({ map, ringAt: RING_AT, signal, progress }, pieces);
  }

  private async isBlank(position: number): Promise<boolean> {
    const bytes = Buffer.alloc(PROBE_BYTES);
    await this.stream.read(position, bytes, PROBE_BYTES);
    return isAllZero(bytes, 0, PROBE_BYTES);
  }
}
