/** The serving side of one connection, simple and stubborn: what is not acknowledged is sent again every few milliseconds. For tests. */
import type { TcpSegment } from '../../../../src/labs/machine/network/tcp-segment.js';

/** What a service does with all that has come so far; it may add to `say`, and end. */
export interface TcpService {
  /** Sent when the connection is open. */
  greeting?: Buffer;
  onData?(fresh: Buffer, peer: TcpPeer): void;
  /** Says nothing more after its greeting. */
  endsAfterGreeting?: boolean;
  /** Told to the other side instead of a true window. */
  window?: (peer: TcpPeer) => number;
  maxSegmentBytes?: number;
}

const AGAIN_MS = 15;
const SEGMENT_BYTES = 700;
const MOST_UNDER_WAY = 20_000;

export class TcpPeer {
  /** All that came, in order. */
  heard = Buffer.alloc(0);
  heardEnd = false;
  private next: number;
  private unacknowledged: number;
  private theirWindow: number;
  private out = Buffer.alloc(0);
  private ending = false;
  private established = false;
  private readonly early = new Map<number, Buffer>();
  private readonly ports: { sourcePort: number; destinationPort: number };
  private readonly timer: NodeJS.Timeout;

  constructor(
    syn: TcpSegment,
    private readonly service: TcpService,
    private readonly transmit: (segment: TcpSegment) => void,
    private readonly firstSequence: number,
  ) {
    this.ports = { sourcePort: syn.destinationPort, destinationPort: syn.sourcePort };
    this.next = (syn.sequence + 1) >>> 0;
    this.unacknowledged = (firstSequence + 1) >>> 0;
    this.theirWindow = syn.window;
    this.timer = setInterval(() => this.sendAgain(), AGAIN_MS);
    this.sendSynAck();
  }

  say(bytes: Buffer | string): void {
    this.out = Buffer.concat([this.out, Buffer.from(bytes as string)]);
    this.sendAgain();
  }

  end(): void {
    this.ending = true;
    this.sendAgain();
  }

  reset(): void {
    this.send({ rst: true });
    this.close();
  }

  close(): void {
    clearInterval(this.timer);
  }

  receive(segment: TcpSegment): void {
    if (segment.rst) {
      this.close();
      return;
    }
    if (segment.syn) {
      this.sendSynAck();
      return;
    }
    this.receiveAcknowledgement(segment);
    const offset = (segment.sequence - this.next) | 0;
    if (segment.data.length > 0 || segment.fin) {
      if (offset > 0) this.early.set(segment.sequence, Buffer.from(segment.data));
      else this.take(segment, -offset);
      this.send({});
    }
  }

  private receiveAcknowledgement({ acknowledgement, window }: TcpSegment): void {
    const acknowledged = ((acknowledgement ?? 0) - this.unacknowledged) | 0;
    if (acknowledged < 0) return;
    this.theirWindow = window;
    this.out = this.out.subarray(acknowledged);
    this.unacknowledged = (this.unacknowledged + acknowledged) >>> 0;
    if (!this.established) {
      this.established = true;
      this.say(this.service.greeting ?? Buffer.alloc(0));
      if (this.service.endsAfterGreeting) this.end();
    }
    if (acknowledged > 0 && this.out.length > 0) this.sendAgain();
  }

  private take({ data, fin }: TcpSegment, skip: number): void {
    const fresh = data.subarray(Math.min(skip, data.length));
    if (skip > data.length) return;
    this.next = (this.next + fresh.length) >>> 0;
    this.heard = Buffer.concat([this.heard, fresh]);
    if (fin && !this.heardEnd) {
      this.heardEnd = true;
      this.next = (this.next + 1) >>> 0;
      this.end();
    }
    if (fresh.length > 0) this.service.onData?.(fresh, this);
    const waiting = this.early.get(this.next);
    this.early.delete(this.next);
    if (waiting) this.take({ ...EMPTY, data: waiting }, 0);
  }

  /** Everything that is not acknowledged and fits the window, in segments. A closed window is not probed: who closed it must open it. */
  private sendAgain(): void {
    if (!this.established) {
      this.sendSynAck();
      return;
    }
    const most = Math.min(this.out.length, this.theirWindow, MOST_UNDER_WAY);
    for (let at = 0; at < most; at += SEGMENT_BYTES) {
      this.send({ sequence: (this.unacknowledged + at) >>> 0, data: this.out.subarray(at, Math.min(most, at + SEGMENT_BYTES)) });
    }
    if (this.ending && most === this.out.length) this.send({ sequence: (this.unacknowledged + most) >>> 0, fin: true });
  }

  private sendSynAck(): void {
    this.send({ syn: true, sequence: this.firstSequence, maxSegmentBytes: this.service.maxSegmentBytes ?? SEGMENT_BYTES });
  }

  private send(parts: Partial<TcpSegment>): void {
    const numbers = { sequence: this.unacknowledged, acknowledgement: this.next, window: this.service.window?.(this) ?? 30_000 };
    this.transmit({ ...EMPTY, ...this.ports, ...numbers, ...parts });
  }
}

const EMPTY: TcpSegment = {
  ...{ sourcePort: 0, destinationPort: 0, sequence: 0, acknowledgement: null, syn: false, fin: false, rst: false, push: false },
  ...{ window: 0, maxSegmentBytes: null, data: Buffer.alloc(0) },
};
