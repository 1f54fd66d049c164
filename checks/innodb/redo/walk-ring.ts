/** Reads a MariaDB 10.8 log: from the checkpoint to its true end, what lies beyond, and what was logged before (rule R2). */
import { BlockReader } from '../../../src/bytes/block-reader.js';
import type { ByteMap } from '../../../src/types.js';
import type { RedoHead } from '../format/redo-head.js';
import type { LogFacts } from './facts.js';
import { LogKnowledge } from './knowledge.js';
import type { Mtr } from './log-window.js';
import { MtrWalk, mtrReader } from './mtr-walk.js';
import { RingStream } from './ring.js';
import { type Range, RingThreads } from './ring-threads.js';
import type { Checkpoint } from './stream.js';
import type { StretchResult } from './stretches/detail.js';

export interface WalkRequest {
  map: ByteMap;
  head: RedoHead;
  checkpoint: Checkpoint;
  /** How far back before the checkpoint R2 reads, at most. */
  historyBytes: number;
  signal: AbortSignal;
  progress(doneBytes: number): void;
  /** Longer pieces of log are read by several threads. */
  worthBytes?: number;
}

/** How far beyond its end the log is searched for more: the server writes at most its log buffer at once. */
const BEYOND_BYTES = 64 * 1024 * 1024;

/** So far behind the end of what is followed most mini-transactions are whole that begin before it. */
const CROSSING_BYTES = 64 * 1024;
const WORTH_BYTES = 8 * 1024 * 1024;

export async function walkRing(request: WalkRequest): Promise<{ facts: LogFacts; knowledge: LogKnowledge }> {
  const blocks = new BlockReader();
  try {
    const stream = new RingStream(blocks, request.map, request.head.firstLsn, request.head.encrypted);
    let done = 0;
    const progress = (bytes: number) => {
      done += bytes;
      request.progress(done);
    };
    const { map, head, signal, worthBytes = WORTH_BYTES } = request;
    const threads = new RingThreads(stream, { map, opaque: head.opaque, signal, progress, worthBytes });
    return await new RingWalk(stream, new MtrWalk(stream, signal, progress), threads, request).run();
  } finally {
    await blocks.close();
  }
}

class RingWalk {
  private readonly knowledge: LogKnowledge;
  private mtrs = 0;

  constructor(
    private readonly stream: RingStream,
    private readonly walk: MtrWalk,
    private readonly threads: RingThreads,
    private readonly request: WalkRequest,
  ) {
    this.knowledge = new LogKnowledge(request.checkpoint.lsn, mtrReader(request.head.encrypted));
  }

  async run(): Promise<{ facts: LogFacts; knowledge: LogKnowledge }> {
    const { checkpoint } = this.request;
    const { knowledge } = this;
    const { opaque } = this.request.head;
    const end = await this.replay();
    const [beyondEnd, past] = [this.rangeBeyond(end), this.rangeOfPast(end)];
    const crossing = { from: beyondEnd.from, to: Math.min(beyondEnd.to + CROSSING_BYTES, checkpoint.lsn + this.stream.capacity) };
    const forget = knowledge.pastToForget();
    const known = await this.threads.followOld(crossing, past, {
      between: (mtr) => knowledge.past(mtr, mtr.endLsn),
      take: (stretch) => knowledge.stretch(stretch),
    });
    const beyond = await this.lookBeyond({ from: known.passedTo, to: beyondEnd.to });
    const historyFrom = opaque ? checkpoint.lsn : (known.pastFrom ?? (await this.readPast(past, forget)));
    const checkpointSeen = opaque ? end > checkpoint.endLsn : knowledge.checkpointSeen;
    knowledge.finish();
    const facts: LogFacts = {
      ...{ checkpoint: checkpoint.lsn, checkpointEnd: checkpoint.endLsn, checkpointSeen, end, exactEnd: true },
      ...{ records: this.mtrs, beyond, historyFrom, historyRecords: knowledge.historyMtrs, pagesKnown: !opaque, everyRecord: !opaque },
      overflowed: knowledge.table.overflowed || knowledge.spaces.overflowed,
      contradictions: knowledge.contradictions,
      cleanShutdown: checkpoint.lsn === checkpoint.endLsn && this.mtrs === 1 && checkpointSeen,
    };
    return { facts, knowledge };
  }

  /** From the checkpoint to the end: a piece by one thread, most logs end in it; then large ones by many, as long as the log goes on. */
  private async replay(): Promise<number> {
    const { worthBytes = WORTH_BYTES, checkpoint } = this.request;
    const limit = checkpoint.lsn + this.stream.capacity;
    const take = (mtr: Mtr) => this.takeReplayed(mtr);
    for (let position = checkpoint.lsn; ; ) {
      const to = this.threads.isWorth({ from: position + worthBytes, to: limit }) ? position + worthBytes : limit;
      const stopped = await this.walk.follow(position, to, (mtr) => {
        position = mtr.endLsn;
        this.takeReplayed(mtr);
      });
      if (stopped < to || to === limit) return stopped;
      position = await this.threads.replay({ from: position, to: limit }, { between: take, take: (stretch) => this.takeStretch(stretch) });
    }
  }

  private takeReplayed(mtr: Mtr): void {
    this.mtrs++;
    if (!this.request.head.opaque) this.knowledge.replayed(mtr);
  }

  private takeStretch(stretch: StretchResult): void {
    this.mtrs += stretch.mtrs;
    this.knowledge.stretch(stretch);
  }

  /**
   * Valid mini-transactions of this lap after the end: the log has a hole. The rest of the block that was written last is passed over:
   * it holds what was in the server's buffer before, which is old log of the same lap.
   */
  private async lookBeyond({ from, to }: Range): Promise<LogFacts['beyond']> {
    const found = { first: 0, last: 0, records: 0 };
    const visit = (mtr: Mtr) => {
      if (found.records === 0) found.first = mtr.startLsn;
      found.last = mtr.endLsn;
      found.records++;
    };
    await this.walk.search(from, to, () => {}, visit);
    return found.records > 0 ? found : null;
  }

  private rangeBeyond(end: number): Range {
    return { from: this.stream.nextBlock(end), to: Math.min(end + BEYOND_BYTES, this.request.checkpoint.lsn + this.stream.capacity) };
  }

  private rangeOfPast(end: number): Range {
    const { checkpoint, historyBytes, head } = this.request;
    return { from: Math.max(end - this.stream.capacity + 1, checkpoint.lsn - historyBytes, head.firstLsn), to: checkpoint.lsn };
  }

  /** What the ring still holds of before the checkpoint: first the lap before, then this lap. @returns from where on without a gap. */
  private async readPast({ from, to }: Range, forget: () => void): Promise<number> {
    forget(); // threads may have followed it up to a gap
    let start = to;
    let expected = -1;
    const onGap = (position: number) => {
      if (expected >= 0) this.knowledge.forgetPast();
      start = position;
    };
    await this.walk.search(from, to, onGap, (mtr) => {
      expected = mtr.endLsn;
      this.knowledge.past(mtr, mtr.endLsn);
    });
    if (expected === to) return start;
    this.knowledge.forgetPast(); // it does not reach the checkpoint
    return to;
  }
}
