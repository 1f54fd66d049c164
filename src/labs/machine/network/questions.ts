/** What is asked of the guest from here, and how its answers find back. */
import { randomInt } from 'node:crypto';
import { LabError } from '../../../errors.js';
import { ALL_NODES, canonical, familyOf } from './addresses.js';
import type { Asked } from './answers.js';
import { echo, type Quoted } from './icmp.js';
import { OWN_LINK_LOCAL } from './identity.js';
import { type IpPacket, PROTOCOL } from './ip.js';
import type { Neighbours, Path } from './neighbours.js';
import { Places } from './places.js';
import { askFor, sendIp, toAllNodes } from './sender.js';
import { TcpConnection } from './tcp-connection.js';
import { type TcpSegment, tcpPacket } from './tcp-segment.js';
import { type Datagram, udpPacket } from './udp.js';
import { Waiters } from './waiters.js';

const MAX_CONVERSATIONS = 128;
const FIRST_PORT = 49_152;
const ASK_EVERY_MS = 1000;
const QUIET_MS = 100;
const MAX_PRESENT = 64;

interface PendingDatagram {
  address: string;
  port: number;
  answer: Buffer | 'refused' | null;
}

export class Questions implements Asked {
  private readonly places = new Places();
  private readonly waiters = new Waiters();
  private readonly connections = new Map<string, TcpConnection>();
  private readonly datagrams = new Map<number, PendingDatagram>();
  private readonly echoes = new Map<number, { address: string; sentAt: number; answeredAt: number | null }>();
  private readonly presentNow = new Set<string>();
  private port = FIRST_PORT + randomInt(8000);
  private echoId = randomInt(0x10000);
  private closed = false;

  constructor(
    private readonly neighbours: Neighbours,
    private readonly retransmitMs: number,
  ) {}

  // ---------------------------------------------------------------- questions

  /** See GuestNetwork. */
  async discover(expected: string[], { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal }): Promise<string[]> {
    const wanted = expected.flatMap((text) => canonical(text) ?? []);
    const end = performance.now() + timeoutMs;
    const missing = () => [...wanted, ...this.neighbours.addresses].filter((address) => !this.presentNow.has(address));
    const stop = () => this.waiters.announce();
    this.presentNow.clear();
    signal.addEventListener('abort', stop);
    try {
      for (let left = timeoutMs; left > 0 && !signal.aborted && !this.closed; left = end - performance.now()) {
        this.search([...new Set(missing())]);
        const isThere = () => this.presentNow.size > 0 && missing().length === 0;
        await this.waiters.until(() => signal.aborted || isThere(), Math.min(left, ASK_EVERY_MS));
        const known = this.presentNow.size;
        // Other addresses of it answer soon after the first.
        if (isThere()) await this.waiters.until(() => signal.aborted || this.presentNow.size > known, Math.min(end - performance.now(), QUIET_MS));
        if (isThere() && this.presentNow.size === known) break;
      }
    } finally {
      signal.removeEventListener('abort', stop);
    }
    signal.throwIfAborted();
    return [...this.presentNow];
  }

  /** See GuestNetwork. */
  async ping(text: string, { timeoutMs }: { timeoutMs: number }): Promise<number | null> {
    const end = performance.now() + timeoutMs;
    const address = this.addressOf(text);
    const path = await this.pathTo(address, end);
    const id = this.nextEcho(address);
    const sent = this.echoes.get(id);
    try {
      for (let sequence = 1; path && sent && sent.answeredAt === null && performance.now() < end && !this.closed; sequence++) {
        sendIp(path, echo(this.ownFor(address), address, 'request', { id, sequence, data: Buffer.from('is anybody there?') }));
        await this.waiters.until(() => sent.answeredAt !== null || this.closed, Math.min(ASK_EVERY_MS * sequence, end - performance.now()));
      }
      return sent?.answeredAt ? sent.answeredAt - sent.sentAt : null;
    } finally {
      this.echoes.delete(id);
    }
  }

  /** See GuestNetwork. */
  async connect(text: string, port: number, { timeoutMs }: { timeoutMs: number }): Promise<TcpConnection> {
    const end = performance.now() + timeoutMs;
    const guest = this.addressOf(text);
    const path = await this.pathTo(guest, end);
    if (!path) throw silent(guest, port, timeoutMs);
    if (this.connections.size >= MAX_CONVERSATIONS) throw new LabError({ code: 'network.busy', message: 'too many conversations with the guest at once' });
    const endpoints = { own: this.ownFor(guest), ownPort: this.nextPort(), guest, guestPort: port };
    const key = keyOf(endpoints);
    const wire = {
      transmit: (segment: TcpSegment) => sendIp(this.neighbours.pathTo(guest) ?? path, tcpPacket(endpoints.own, guest, segment)),
      retransmitMs: this.retransmitMs,
      over: () => void this.connections.delete(key),
    };
    const connection = new TcpConnection(endpoints, wire, randomInt(2 ** 32));
    this.connections.set(key, connection);
    return connection.open(Math.max(1, end - performance.now()));
  }

  /** See GuestNetwork. */
  async ask(text: string, port: number, payload: Buffer, { timeoutMs }: { timeoutMs: number }): Promise<Buffer | null> {
    const end = performance.now() + timeoutMs;
    const address = this.addressOf(text);
    const path = await this.pathTo(address, end);
    const sourcePort = this.nextPort();
    const pending: PendingDatagram = { address, port, answer: null };
    this.datagrams.set(sourcePort, pending);
    try {
      for (let wait = ASK_EVERY_MS; path && pending.answer === null && performance.now() < end && !this.closed; wait *= 2) {
        sendIp(path, udpPacket(this.ownFor(address), address, { sourcePort, destinationPort: port, payload }));
        await this.waiters.until(() => pending.answer !== null || this.closed, Math.min(wait, end - performance.now()));
      }
    } finally {
      this.datagrams.delete(sourcePort);
    }
    if (pending.answer === 'refused') throw new LabError({ code: 'network.refused', message: `${address} said that nobody listens at UDP port ${port}` });
    return pending.answer;
  }

  close(): void {
    this.closed = true;
    for (const connection of [...this.connections.values()]) connection.abandon();
    this.waiters.announce();
  }

  // ---------------------------------------------------------------- answers

  segment(packet: IpPacket, segment: TcpSegment): boolean {
    const ports = { ownPort: segment.destinationPort, guestPort: segment.sourcePort };
    const connection = this.connections.get(keyOf({ own: packet.destination, guest: packet.source, ...ports }));
    connection?.receive(segment);
    return connection !== undefined;
  }

  datagram(packet: IpPacket, datagram: Datagram): boolean {
    const pending = this.datagrams.get(datagram.destinationPort);
    if (pending?.address !== packet.source || pending.port !== datagram.sourcePort) return false;
    pending.answer ??= Buffer.from(datagram.payload);
    this.waiters.announce();
    return true;
  }

  echo(packet: IpPacket, id: number): void {
    const sent = this.echoes.get(id);
    if (sent && (sent.address === packet.source || sent.address === ALL_NODES)) {
      sent.answeredAt ??= performance.now();
      this.present(packet.source);
    }
  }

  unreachable({ source, sourcePort, destination, destinationPort, protocol }: Quoted): void {
    const ports = { ownPort: sourcePort, guestPort: destinationPort };
    if (protocol === PROTOCOL.tcp) this.connections.get(keyOf({ own: source, guest: destination, ...ports }))?.unreachable();
    const pending = protocol === PROTOCOL.udp ? this.datagrams.get(sourcePort) : undefined;
    if (pending?.address === destination && pending.port === destinationPort) pending.answer ??= 'refused';
    this.waiters.announce();
  }

  present(address: string): void {
    if (this.presentNow.size < MAX_PRESENT && this.neighbours.has(address)) this.presentNow.add(address);
    this.waiters.announce();
  }

  place(path: Path): void {
    this.places.add(path);
  }

  /** A card that may have the guest behind it, before it says anything. */
  addLink(link: Path['link']): void {
    this.places.addLink(link);
  }

  // ---------------------------------------------------------------- how

  private async pathTo(address: string, end: number): Promise<Path | null> {
    while (!this.neighbours.has(address) && performance.now() < end && !this.closed) {
      this.places.each((place) => askFor(address, this.ownFor(address), place));
      await this.waiters.until(() => this.neighbours.has(address) || this.closed, Math.min(ASK_EVERY_MS, end - performance.now()));
    }
    return this.closed ? null : this.neighbours.pathTo(address);
  }

  private search(targets: string[]): void {
    const id = this.nextEcho(ALL_NODES);
    setTimeout(() => this.echoes.delete(id), 60_000).unref();
    this.places.each((place) => {
      for (const address of targets) askFor(address, this.ownFor(address), place);
      toAllNodes(place, echo(OWN_LINK_LOCAL, ALL_NODES, 'request', { id, sequence: 1, data: Buffer.alloc(8) }));
    });
  }

  private nextEcho(address: string): number {
    this.echoId = (this.echoId + 1) & 0xffff;
    this.echoes.set(this.echoId, { address, sentAt: performance.now(), answeredAt: null });
    return this.echoId;
  }

  private ownFor(address: string): string {
    return this.neighbours.ownFor(address, OWN_LINK_LOCAL);
  }

  private nextPort(): number {
    this.port = this.port >= 65_535 ? FIRST_PORT : this.port + 1;
    return this.port;
  }

  private addressOf(text: string): string {
    const address = canonical(text);
    if (address === null) throw new LabError({ code: 'network.address', message: `${JSON.stringify(text)} is no address` });
    return address;
  }
}

function keyOf(endpoints: { own: string; ownPort: number; guest: string; guestPort: number }): string {
  return `${familyOf(endpoints.guest)} ${endpoints.own} ${endpoints.ownPort} ${endpoints.guest} ${endpoints.guestPort}`;
}

function silent(address: string, port: number, timeoutMs: number): LabError {
  return new LabError({
    code: 'network.silent',
    message: `nobody on the guest's network has the address ${address}, so port ${port} could not be reached within ${timeoutMs / 1000} s`,
  });
}
