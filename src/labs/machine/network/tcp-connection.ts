/**
 * One connection into the guest, opened by us: a client by RFC 9293. Resets are taken only where RFC 5961 allows it.
 * There is no TIME-WAIT: a port of ours is not used again before a guest's own timers have run out.
 */
import { LabError } from '../../../errors.js';
import type { GuestConversation } from '../../lab.js';
import { Retransmission } from './retransmission.js';
import { TcpInbox } from './tcp-inbox.js';
import { type OutgoingPart, TcpOutbox } from './tcp-outbox.js';
import { distance, ownMaxSegment, plus, sequenceLength, type TcpSegment } from './tcp-segment.js';
import { Waiters } from './waiters.js';

export interface TcpEndpoints {
  own: string;
  ownPort: number;
  guest: string;
  guestPort: number;
}

export interface TcpWire {
  transmit(segment: TcpSegment): void;
  /** Until a segment is sent again the first time. */
  retransmitMs: number;
  /** The connection is over and needs no more segments. */
  over(): void;
}

/** RFC 9293, 3.7.1. */
const DEFAULT_SEGMENT_BYTES = 536;
const LEAST_SEGMENT_BYTES = 64;
const CLOSE_WAIT_MS = 1000;

export class TcpConnection implements GuestConversation {
  ended: GuestConversation['ended'] = null;
  private state: 'opening' | 'open' | 'over' = 'opening';
  private inbox = new TcpInbox(0);
  private outbox: TcpOutbox;
  /** Sequence number of the guest's FIN once it is known. */
  private guestFin: number | null = null;
  private windowFrom = { sequence: 0, acknowledgement: 0 };
  private closing = false;
  private refusedBecause: string | null = null;
  private readonly waiters = new Waiters();
  private readonly again: Retransmission;

  constructor(
    readonly endpoints: TcpEndpoints,
    private readonly wire: TcpWire,
    private readonly firstSequence: number,
  ) {
    this.outbox = new TcpOutbox(plus(firstSequence, 1), DEFAULT_SEGMENT_BYTES);
    this.again = new Retransmission(wire.retransmitMs, () => this.sendAgain());
  }

  // ---------------------------------------------------------------- for who talks over it

  /** @throws LabError when it is refused or not answered. */
  async open(timeoutMs: number): Promise<this> {
    const { guest, guestPort } = this.endpoints;
    this.sendSyn();
    await this.waiters.until(() => this.state !== 'opening', timeoutMs);
    if (this.state === 'open') return this;
    const why = this.refusedBecause;
    this.finish('reset');
    if (why !== null) throw new LabError({ code: 'network.refused', message: `${guest} port ${guestPort}: ${why}` });
    throw new LabError({ code: 'network.silent', message: `${guest} did not answer at port ${guestPort} within ${timeoutMs / 1000} s` });
  }

  async write(bytes: Buffer | string): Promise<void> {
    for (let rest = Buffer.from(bytes as string); rest.length > 0; ) {
      await this.waiters.until(() => this.isDead || this.outbox.room > 0, null);
      if (this.isDead) throw this.endedError();
      const part = rest.subarray(0, this.outbox.room);
      this.outbox.push(part);
      this.output();
      rest = rest.subarray(part.length);
    }
  }

  async readUntil(enough: (bytes: Buffer) => boolean, { timeoutMs }: { timeoutMs: number }): Promise<Buffer> {
    const content = () => this.inbox.window === 0 || this.ended !== null || (this.inbox.peek().length > 0 && enough(this.inbox.peek()));
    await this.waiters.until(content, timeoutMs);
    const wasFull = this.inbox.window < ownMaxSegment(this.endpoints.guest);
    const taken = this.inbox.take();
    if (wasFull && this.state === 'open') this.acknowledge();
    return taken;
  }

  async close(): Promise<void> {
    if (this.state === 'open') {
      this.closing = true;
      this.inbox.take();
      this.outbox.finish();
      this.output();
      await this.waiters.until(() => this.isDead || this.isDone, CLOSE_WAIT_MS);
      if (!this.isDead && !this.isDone) this.wire.transmit(this.segment({ rst: true }));
    }
    this.finish('closed');
  }

  /** The network goes. */
  abandon(): void {
    this.refusedBecause ??= 'the network was closed';
    this.finish('reset');
  }

  /** The guest's kernel, or a firewall in it, says that nobody can be reached here: RFC 1122, 4.2.3.9. */
  unreachable(): void {
    if (this.state !== 'opening') return;
    this.refusedBecause = 'the guest answered that this port cannot be reached';
    this.finish('reset');
  }

  private get isDead(): boolean {
    return this.state === 'over' || this.ended === 'reset';
  }

  /** Both sides have said that nothing more comes. */
  private get isDone(): boolean {
    return this.outbox.done && this.ended !== null;
  }

  private endedError(): LabError {
    const { guest, guestPort } = this.endpoints;
    return new LabError({ code: 'network.ended', message: `${guest} ended the connection to port ${guestPort}` });
  }

  private finish(how: 'closed' | 'reset'): void {
    this.ended ??= how;
    if (this.state === 'over') return;
    this.state = 'over';
    this.again.stop();
    this.wire.over();
    this.waiters.announce();
  }

  // ---------------------------------------------------------------- segments of the guest

  receive(segment: TcpSegment): void {
    if (this.state === 'opening') this.receiveAnswer(segment);
    else if (this.state === 'open') this.receiveOpen(segment);
    if (this.closing) this.inbox.take();
    this.waiters.announce();
  }

  /** RFC 9293, 3.10.7.3. */
  private receiveAnswer(segment: TcpSegment): void {
    const { acknowledgement, rst, syn } = segment;
    if (acknowledgement !== plus(this.firstSequence, 1)) {
      if (!rst && acknowledgement !== null) this.wire.transmit(this.segment({ rst: true, sequence: acknowledgement, acknowledgement: null }));
      return;
    }
    if (rst) {
      this.refusedBecause = 'the guest refused the connection';
      this.finish('reset');
    } else if (syn) this.establish(segment);
  }

  private establish(segment: TcpSegment): void {
    const theirs = Math.max(LEAST_SEGMENT_BYTES, segment.maxSegmentBytes ?? DEFAULT_SEGMENT_BYTES);
    this.outbox = new TcpOutbox(plus(this.firstSequence, 1), Math.min(ownMaxSegment(this.endpoints.guest), theirs));
    this.inbox = new TcpInbox(plus(segment.sequence, 1));
    this.outbox.window = segment.window;
    this.windowFrom = { sequence: segment.sequence, acknowledgement: this.outbox.acknowledged };
    this.state = 'open';
    this.again.reset();
    this.acceptText({ ...segment, sequence: plus(segment.sequence, 1) });
    this.acknowledge();
  }

  /** RFC 9293, 3.10.7.4. */
  private receiveOpen(segment: TcpSegment): void {
    if (!this.inbox.isAcceptable(segment.sequence, sequenceLength(segment))) {
      if (segment.rst) return;
      this.acceptAcknowledgement(segment);
      this.acknowledge();
    } else if (segment.rst && segment.sequence === this.inbox.next) this.finish('reset');
    else if (segment.rst || segment.syn) this.acknowledge();
    else if (this.acceptAcknowledgement(segment)) {
      this.acceptText(segment);
      if (sequenceLength(segment) > 0) this.acknowledge();
    }
    if (this.state === 'open') this.output();
  }

  /** @returns whether the rest of the segment counts */
  private acceptAcknowledgement({ acknowledgement, sequence, window }: TcpSegment): boolean {
    if (acknowledgement === null) return false;
    const news = this.outbox.acknowledge(acknowledgement);
    if (news === 'ahead') {
      this.acknowledge();
      return false;
    }
    const later = distance(sequence, this.windowFrom.sequence);
    if (news === 'new' || later > 0 || (later === 0 && distance(acknowledgement, this.windowFrom.acknowledgement) >= 0)) {
      this.outbox.window = window;
      this.windowFrom = { sequence, acknowledgement };
    }
    if (news === 'new') this.again.reset();
    return true;
  }

  private acceptText({ sequence, data, fin }: TcpSegment): void {
    if (fin) this.guestFin ??= plus(sequence, data.length);
    if (this.ended !== null) return;
    this.inbox.insert(sequence, data);
    if (this.inbox.next !== this.guestFin) return;
    this.inbox.next = plus(this.inbox.next, 1);
    this.ended = 'closed';
  }

  // ---------------------------------------------------------------- segments of ours

  private output(): void {
    for (let part = this.outbox.take(); part; part = this.outbox.take()) this.sendPart(part);
    if (this.outbox.pending) this.again.start();
    else this.again.stop();
  }

  private sendAgain(): void {
    if (this.state === 'opening') {
      this.sendSyn();
      return;
    }
    this.outbox.rewind();
    const probe = this.outbox.window === 0 ? this.outbox.probe() : null;
    if (probe) this.sendPart(probe);
    this.output();
  }

  private sendPart({ sequence, data, fin }: OutgoingPart): void {
    this.wire.transmit(this.segment({ sequence, data, fin, push: data.length > 0 }));
  }

  private sendSyn(): void {
    this.again.start();
    const maxSegmentBytes = ownMaxSegment(this.endpoints.own);
    this.wire.transmit(this.segment({ syn: true, sequence: this.firstSequence, acknowledgement: null, maxSegmentBytes }));
  }

  private acknowledge(): void {
    this.wire.transmit(this.segment({}));
  }

  private segment(parts: Partial<TcpSegment>): TcpSegment {
    return {
      ...{ sourcePort: this.endpoints.ownPort, destinationPort: this.endpoints.guestPort },
      ...{ sequence: this.outbox.sequence, acknowledgement: this.inbox.next, syn: false, fin: false, rst: false, push: false },
      ...{ window: this.inbox.window, maxSegmentBytes: null, data: Buffer.alloc(0) },
      ...parts,
    };
  }
}
