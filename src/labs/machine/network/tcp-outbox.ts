/**
 * What is to be sent over a connection, until the guest has acknowledged it. After a loss it is sent again from there on; how much may be
 * under way grows with each acknowledgement (RFC 5681, 3.1) within the guest's window.
 */
import { distance, plus } from './tcp-segment.js';

const CAPACITY_BYTES = 256 * 1024;
const MOST_UNDER_WAY = 64 * 1024;
const FIRST_SEGMENTS = 10;

/** Data and end of one segment. */
export interface OutgoingPart {
  sequence: number;
  data: Buffer;
  fin: boolean;
}

export class TcpOutbox {
  /** Bytes from `acknowledged` on. */
  private bytes: Buffer = Buffer.alloc(0);
  private under: number;
  private next: number;
  private highest: number;
  private finished = false;
  private finSequence = 0;
  /** How much the guest takes. */
  window = 0;

  /** @param acknowledged sequence number of the first byte */
  constructor(
    public acknowledged: number,
    private readonly segmentBytes: number,
  ) {
    this.next = acknowledged;
    this.highest = acknowledged;
    this.under = FIRST_SEGMENTS * segmentBytes;
  }

  /** Sequence number of the next segment to go out. */
  get sequence(): number {
    return this.next;
  }

  get room(): number {
    return this.finished ? 0 : CAPACITY_BYTES - this.bytes.length;
  }

  /** Something was sent, or would be if the window allowed, and is not acknowledged. */
  get pending(): boolean {
    return this.end > 0;
  }

  /** All is acknowledged, the end too. */
  get done(): boolean {
    return this.finished && distance(this.acknowledged, this.finSequence) > 0;
  }

  /** @param data at most as long as there is room */
  push(data: Buffer): void {
    this.bytes = Buffer.concat([this.bytes, data]);
  }

  /** Nothing comes after this. */
  finish(): void {
    if (this.finished) return;
    this.finished = true;
    this.finSequence = plus(this.acknowledged, this.bytes.length);
  }

  /** Data and the end, in numbers of the sequence. */
  private get end(): number {
    if (this.done) return 0;
    return this.bytes.length + (this.finished ? 1 : 0);
  }

  /** The next segment that may go out now. */
  take(): OutgoingPart | null {
    const sent = distance(this.next, this.acknowledged);
    const allowed = Math.min(this.window, this.under) - sent;
    return sent < this.end && allowed > 0 ? this.segment(sent, Math.min(allowed, this.segmentBytes)) : null;
  }

  /** One byte although the window is closed, so that a lost opening of it is noticed: RFC 9293, 3.8.6.1. */
  probe(): OutgoingPart | null {
    return this.end > 0 ? this.segment(0, 1) : null;
  }

  private segment(sent: number, most: number): OutgoingPart {
    const data = this.bytes.subarray(sent, sent + most);
    const fin = this.finished && sent + data.length === this.bytes.length && data.length < most;
    const sequence = plus(this.acknowledged, sent);
    this.next = plus(sequence, data.length + (fin ? 1 : 0));
    if (distance(this.next, this.highest) > 0) this.highest = this.next;
    return { sequence, data, fin };
  }

  /** @returns `ahead`: nobody sent that yet; `old`: nothing new; `new`: some of it has arrived */
  acknowledge(acknowledgement: number): 'ahead' | 'old' | 'new' {
    if (distance(acknowledgement, this.highest) > 0) return 'ahead';
    const bytes = distance(acknowledgement, this.acknowledged);
    if (bytes <= 0) return 'old';
    this.bytes = this.bytes.subarray(Math.min(bytes, this.bytes.length));
    this.acknowledged = acknowledgement;
    if (distance(this.next, acknowledgement) < 0) this.next = acknowledgement;
    this.under = Math.min(MOST_UNDER_WAY, this.under + bytes);
    return 'new';
  }

  /** Nothing was acknowledged in time: again from there, one segment first. */
  rewind(): void {
    this.next = this.acknowledged;
    this.under = this.segmentBytes;
  }
}
