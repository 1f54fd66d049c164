/** What has come over a connection and was not read yet, put into order; never more than the window that was promised. */
import { distance, plus } from './tcp-segment.js';

export const INBOX_BYTES = 65_535;
/** A guest that sends single bytes out of order must not make a list of thousands of them. */
const MAX_PIECES = 128;

interface Piece {
  sequence: number;
  data: Buffer;
}

export class TcpInbox {
  private readonly bytes = Buffer.alloc(INBOX_BYTES);
  private filled = 0;
  private pieces: Piece[] = [];

  /** @param next sequence number of the byte that comes next */
  constructor(public next: number) {}

  get window(): number {
    return INBOX_BYTES - this.filled;
  }

  /** Whether a segment has anything to do with the window: RFC 9293, 3.10.7.4, first. */
  isAcceptable(sequence: number, length: number): boolean {
    const start = distance(sequence, this.next);
    if (length === 0) return this.window === 0 ? start === 0 : start >= 0 && start < this.window;
    return this.window > 0 && start < this.window && start + length > 0;
  }

  /** Takes what lies in the window; the rest comes again. */
  insert(sequence: number, data: Buffer): void {
    const start = distance(sequence, this.next);
    const piece = data.subarray(Math.max(0, -start), Math.max(0, this.window - start));
    if (piece.length === 0) return;
    if (start <= 0) this.append(piece);
    else if (this.pieces.length < MAX_PIECES) this.pieces.push({ sequence, data: Buffer.from(piece) });
    if (start <= 0) this.joinPieces();
  }

  /** All that is in order, without taking it. Valid until the next call. */
  peek(): Buffer {
    return this.bytes.subarray(0, this.filled);
  }

  take(): Buffer {
    const taken = Buffer.from(this.peek());
    this.filled = 0;
    return taken;
  }

  private append(data: Buffer): void {
    const fitting = data.subarray(0, this.window);
    fitting.copy(this.bytes, this.filled);
    this.filled += fitting.length;
    this.next = plus(this.next, fitting.length);
  }

  private joinPieces(): void {
    this.pieces.sort((a, b) => distance(a.sequence, b.sequence));
    let used = 0;
    for (const { sequence, data } of this.pieces) {
      const start = distance(sequence, this.next);
      if (start > 0) break;
      used++;
      this.append(data.subarray(Math.min(data.length, -start)));
    }
    this.pieces = this.pieces.slice(used);
  }
}
