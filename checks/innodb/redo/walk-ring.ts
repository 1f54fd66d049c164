/** Reads a MariaDB 10.8 log: from the checkpoint to its true end, what lies beyond, and what was logged before (rule R2). */
import { BlockReader } from '../../../src/bytes/block-reader.js';
import type { ByteMap } from '../../../src/types.js';
import type { RedoHead } from '../format/redo-head.js';
import type { LogFacts } from './facts.js';
import { LogKnowledge } from './knowledge.js';
import { MtrWalk, mtrReader } from './mtr-walk.js';
import { RingStream } from './ring.js';
import type { Checkpoint } from './stream.js';

export interface WalkRequest {
  map: ByteMap;
  head: RedoHead;
  checkpoint: Checkpoint;
  /** How far back before the checkpoint R2 reads, at most. */
  historyBytes: number;
  signal: AbortSignal;
  progress(doneBytes: number): void;
}

/** How far beyond its end the log is searched for more: the server writes at most its log buffer at once. */
const BEYOND_BYTES = 64 * 1024 * 1024;

export async function walkRing(request: WalkRequest): Promise<{ facts: LogFacts; knowledge: LogKnowledge }> {
  const blocks = new BlockReader();
  try {
    const stream = new RingStream(blocks, request.map, request.head.firstLsn, request.head.encrypted);
    let done = 0;
    const walk = new MtrWalk(stream, request.signal, (bytes) => {
      done += bytes;
      request.progress(done);
    });
    return await new RingWalk(stream, walk, request).run();
  } finally {
    await blocks.close();
  }
}

class RingWalk {
  private readonly knowledge: LogKnowledge;

  constructor(
    private readonly stream: RingStream,
    private readonly walk: MtrWalk,
    private readonly request: WalkRequest,
  ) {
    this.knowledge = new LogKnowledge(request.checkpoint.lsn, mtrReader(request.head.encrypted));
  }

  async run(): Promise<{ facts: LogFacts; knowledge: LogKnowledge }> {
    const { checkpoint } = this.request;
    const { knowledge } = this;
    const { opaque } = this.request.head;
    let mtrs = 0;
    const end = await this.walk.follow(checkpoint.lsn, checkpoint.lsn + this.stream.capacity, (mtr) => {
      mtrs++;
      if (!opaque) knowledge.replayed(mtr);
    });
    const beyond = await this.lookBeyond(end);
    const historyFrom = opaque ? checkpoint.lsn : await this.readHistory(end);
    const checkpointSeen = opaque ? end > checkpoint.endLsn : knowledge.checkpointSeen;
    knowledge.finish();
    const facts: LogFacts = {
      ...{ checkpoint: checkpoint.lsn, checkpointEnd: checkpoint.endLsn, checkpointSeen, end, exactEnd: true },
      ...{ records: mtrs, beyond, historyFrom, historyRecords: knowledge.historyMtrs, pagesKnown: !opaque, everyRecord: !opaque },
      overflowed: knowledge.table.overflowed || knowledge.spaces.overflowed,
      contradictions: knowledge.contradictions,
      cleanShutdown: checkpoint.lsn === checkpoint.endLsn && mtrs === 1 && checkpointSeen,
    };
    return { facts, knowledge };
  }

  /**
   * Valid mini-transactions of this lap after the end: the log has a hole. The rest of the block that was written last is passed over:
   * it holds what was in the server's buffer before, which is old log of the same lap.
   */
  private async lookBeyond(end: number): Promise<LogFacts['beyond']> {
    const found = { first: 0, last: 0, records: 0 };
    const to = Math.min(end + BEYOND_BYTES, this.request.checkpoint.lsn + this.stream.capacity);
    await this.walk.search(
      this.stream.nextBlock(end),
      to,
      () => {},
      (mtr) => {
        if (found.records === 0) found.first = mtr.startLsn;
        found.last = mtr.endLsn;
        found.records++;
      },
    );
    return found.records > 0 ? found : null;
  }

  /** What the ring still holds of before the checkpoint: first the lap before, then this lap. @returns from where on without a gap. */
  private async readHistory(end: number): Promise<number> {
    const { checkpoint, historyBytes, head } = this.request;
    const { capacity } = this.stream;
    const from = Math.max(end - capacity + 1, checkpoint.lsn - historyBytes, head.firstLsn);
    let start = checkpoint.lsn;
    let expected = -1;
    const onGap = (position: number) => {
      if (expected >= 0) this.knowledge.forgetPast();
      start = position;
    };
    await this.walk.search(from, checkpoint.lsn, onGap, (mtr) => {
      expected = mtr.endLsn;
      this.knowledge.past(mtr, mtr.endLsn);
    });
    if (expected === checkpoint.lsn) return start;
    this.knowledge.forgetPast(); // it does not reach the checkpoint
    return checkpoint.lsn;
  }
}
