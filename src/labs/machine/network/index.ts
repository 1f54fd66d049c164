/**
 * The closed network of a guest. One end of each of its cards is a stream of frames (QEMU's `-netdev stream`), the other is this process, and
 * nothing of it ever touches a network of the host: frames are bytes that are read and written here, and nowhere else.
 */
import type { Duplex } from 'node:stream';
import type { GuestNetwork, KnownLease, OutsideAttempt } from '../../lab.js';
import { Answers } from './answers.js';
import { Leases } from './leases.js';
import { Link } from './link.js';
import { Neighbours } from './neighbours.js';
import { Questions } from './questions.js';
import { Tally } from './tally.js';

export { knownLeases } from './leases.js';

export interface NetworkOptions {
  /** Addresses that cards of this guest are known to have had by DHCP: they get them again. */
  leases?: readonly KnownLease[];
  /** Until something unanswered is sent again the first time. Default 1000. */
  retransmitMs?: number;
}

const DEFAULT_RETRANSMIT_MS = 1000;

/** The network of one guest; every card of it is one attached socket. */
export class ClosedNetwork implements GuestNetwork {
  private readonly tally = new Tally();
  private readonly neighbours = new Neighbours();
  private readonly questions: Questions;
  private readonly answers: Answers;
  private readonly links: Link[] = [];

  constructor(options: NetworkOptions = {}) {
    this.questions = new Questions(this.neighbours, options.retransmitMs ?? DEFAULT_RETRANSMIT_MS);
    this.answers = new Answers(this.neighbours, new Leases(options.leases ?? []), this.tally, this.questions);
  }

  /** Connects one card. The socket belongs to the network from now on: it is read, and closed with it. */
  attach(socket: Duplex): void {
    const link = new Link(socket, { frame: (frame, from) => this.answers.receive(frame, from), broken: () => this.tally.count('malformed') });
    this.links.push(link);
    this.questions.addLink(link);
  }

  get addresses(): readonly string[] {
    return this.neighbours.addresses;
  }

  get frames(): Readonly<Record<string, number>> {
    return { ...this.tally.frames };
  }

  /** All frames of the guest. */
  get framesSent(): number {
    return this.tally.total;
  }

  get attempts(): readonly OutsideAttempt[] {
    return this.tally.attempts;
  }

  discover(expected: string[], options: { timeoutMs: number; signal: AbortSignal }): Promise<string[]> {
    return this.questions.discover(expected, options);
  }

  ping(address: string, options: { timeoutMs: number }): Promise<number | null> {
    return this.questions.ping(address, options);
  }

  connect(address: string, port: number, options: { timeoutMs: number }): ReturnType<GuestNetwork['connect']> {
    return this.questions.connect(address, port, options);
  }

  ask(address: string, port: number, payload: Buffer, options: { timeoutMs: number }): Promise<Buffer | null> {
    return this.questions.ask(address, port, payload, options);
  }

  /** Ends every conversation and lets go of every card. May be called twice. */
  close(): void {
    this.questions.close();
    for (const link of this.links) link.close();
  }
}

/** A network with the cards that the guest has at first; `attach` connects further ones. */
export function attachNetwork(sockets: Duplex | Duplex[], options: NetworkOptions = {}): ClosedNetwork {
  const network = new ClosedNetwork(options);
  for (const socket of [sockets].flat()) network.attach(socket);
  return network;
}
