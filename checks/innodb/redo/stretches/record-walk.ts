/** Follows mini-transactions at the speed of the processor, and marks the pages that they name. */
import { prepareMessage } from '../../../../src/bytes/crc32c-stream.js';
import { compiled, instantiate, type WasmSpace } from '../../../../src/bytes/wasm-engine.js';
import { findMtrEnd, SHORT } from '../../format/mini-transaction.js';
import { ringEndByte, type StretchDetail } from './detail.js';
import type { PageMarks } from './page-marks.js';
import { NAME_WORDS, type RecordAddresses, recordLoop, STOP, TRAILER_BYTES } from './record-code.js';

/** What is marked for a page that a record names; 0: nothing. */
export interface MarksOf {
  free: number;
  init: number;
  change: number;
}

export interface RecordVisitor {
  marks: PageMarks;
  marksOf: MarksOf;
  /** Whether anything is asked of the records; else only their lengths are. */
  visits: boolean;
  /** A whole mini-transaction that holds more than pages. `lsn`: as marked. False: it contradicts itself, or is too much. */
  odd(at: number, end: number, lsn: number): boolean;
}

const MOST_NAMES = 4096;
const TYPE_SHIFT = 4;
const NEVER = 0x7fffffff;

/** The loop over records, on the buffer of a space. One for each thread. */
export class RecordLoop {
  readonly bytes: Uint8Array;
  private readonly run: (...args: number[]) => void;
  private readonly names: Int32Array;
  private readonly out: Int32Array;
  private readonly addresses: RecordAddresses;

  constructor(space: WasmSpace) {
    const names = space.take(4 * NAME_WORDS * MOST_NAMES);
    this.addresses = { names, namesEnd: names + 4 * NAME_WORDS * MOST_NAMES, out: space.take(4 * 4) };
    const module = compiled(`records ${JSON.stringify(this.addresses)}`, () => recordLoop(this.addresses));
    if (!module) throw new TypeError('this runtime has no WebAssembly');
    this.run = instantiate(module, space.memory);
    this.bytes = space.buffer;
    this.names = new Int32Array(space.memory.buffer, names, NAME_WORDS * MOST_NAMES);
    this.out = new Int32Array(space.memory.buffer, this.addresses.out, 4);
  }

  /** @returns where the next mini-transaction starts, how many there were, why it stopped, and the words of the pages that they name. */
  follow(at: number, limit: number, endByte: number, lapEnd: number, visits: boolean): { next: number; mtrs: number; why: number; names: Int32Array } {
    this.run(at, limit, endByte, lapEnd, visits ? 1 : 0);
    const [next = at, mtrs = 0, why = STOP.bad, namesEnd = 0] = this.out;
    return { next, mtrs, why, names: this.names.subarray(0, (namesEnd - this.addresses.names) / 4) };
  }
}

export class RecordWalk {
  mtrs = 0;
  /** Why it stopped: more bytes are needed, or what is there is no mini-transaction of this lap. */
  stoppedBy: 'short' | 'bad' | 'contradiction' = 'short';
  /** What is marked, by the bits of a type. */
  private readonly kindOf: Int32Array;

  constructor(
    private readonly loop: RecordLoop,
    private readonly ring: Pick<StretchDetail, 'firstLsn' | 'capacity'>,
    /** 1 where the end bytes must be those of the lap before. */
    private readonly flip: 0 | 1,
    private readonly visitor: RecordVisitor,
  ) {
    const { free, init, change } = visitor.marksOf;
    this.kindOf = Int32Array.of(free, init, change, change, change, change, 0, 0);
  }

  /**
   * Follows from `from` up to `limit`. @param zeroLsn LSN of byte 0 of the buffer. @param markLsn what is to be subtracted for the marks.
   * @returns where the first mini-transaction starts that is not whole, or not one.
   */
  walk(from: number, limit: number, zeroLsn: number, markLsn: number): number {
    const endByte = ringEndByte(zeroLsn + from, this.ring) ^ this.flip;
    const lap = Math.floor((zeroLsn + from - this.ring.firstLsn) / this.ring.capacity);
    const lapEnd = Math.min(this.ring.firstLsn + (lap + 1) * this.ring.capacity - zeroLsn, NEVER);
    const toMark = zeroLsn - markLsn;
    for (let at = from; at >= 0; ) {
      const { next, mtrs, why, names } = this.loop.follow(at, limit, endByte, lapEnd, this.visitor.visits);
      this.mtrs += mtrs;
      this.mark(names, toMark);
      this.last = next;
      if (why === STOP.short) at = this.stop('short');
      else if (why === STOP.bad) at = this.stop('bad');
      else if (why === STOP.full && next > at) at = next;
      else at = this.takeOdd(next, limit, (end) => endByte ^ (end < lapEnd ? 0 : 1), toMark);
    }
    return this.last;
  }

  private last = 0;

  private stop(why: RecordWalk['stoppedBy']): number {
    this.stoppedBy = why;
    return -1;
  }

  private mark(names: Int32Array, toMark: number): void {
    const { marks } = this.visitor;
    for (let i = 0; i < names.length; i += NAME_WORDS) {
      const kind = this.kindOf[(names[i] as number) >> TYPE_SHIFT] as number;
      if (kind !== 0) marks.set(kind, names[i + 1] as number, names[i + 2] as number, (names[i + 3] as number) + toMark);
    }
  }

  /** One that the loop leaves to others. @returns where the next one starts, -1 when it stops here. */
  private takeOdd(at: number, limit: number, endByteAt: (end: number) => number, toMark: number): number {
    const { bytes } = this.loop;
    const end = findMtrEnd(bytes, at, limit);
    if (end < 0) return this.stop(end === SHORT ? 'short' : 'bad');
    if (bytes[end] !== endByteAt(end)) return this.stop('bad');
    const next = end + TRAILER_BYTES;
    if (next > limit) return this.stop('short');
    if (!this.visitor.odd(at, end, next + toMark)) return this.stop('contradiction');
    prepareMessage(bytes, at, end);
    this.mtrs++;
    return next;
  }
}
