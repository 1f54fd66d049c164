/**
 * A guest of a few lines on the other end of a card: it answers ARP, neighbour solicitations and pings, and serves TCP with code of its own
 * that shares only the formats with what is tested. Its wire can lose, double and reorder frames. For tests.
 */
import { type Duplex, duplexPair } from 'node:stream';
import { groupMac } from '../../../../src/labs/machine/network/addresses.js';
import { arpAnswer, buildArp, parseArp } from '../../../../src/labs/machine/network/arp.js';
import { buildEthernet, ETHER_TYPE, type EthernetFrame, parseEthernet } from '../../../../src/labs/machine/network/ethernet.js';
import { FrameReader, framed } from '../../../../src/labs/machine/network/framing.js';
import { echo, parseIcmp } from '../../../../src/labs/machine/network/icmp.js';
import { buildIp, type IpPacket, type OutgoingIp, PROTOCOL, parseIp } from '../../../../src/labs/machine/network/ip.js';
import { advertisement, parseNeighbour } from '../../../../src/labs/machine/network/nd.js';
import { parseTcp, type TcpSegment, tcpPacket } from '../../../../src/labs/machine/network/tcp-segment.js';
import { parseUdp, udpPacket } from '../../../../src/labs/machine/network/udp.js';
import { TcpPeer, type TcpService } from './tcp-peer.js';

export const GUEST_MAC = Buffer.from('525400000001', 'hex');

/** Shares of frames, 0 to 1, in both directions. */
export interface Trouble {
  lost: number;
  doubled: number;
  late: number;
  random: () => number;
}

export interface SimulatedOptions {
  addresses: string[];
  services?: Record<number, TcpService>;
  /** What a datagram to a port is answered with; absent: nothing. */
  datagrams?: Record<number, (payload: Buffer) => Buffer | null>;
  trouble?: Trouble;
  firstSequence?: number;
}

export class SimulatedGuest {
  /** For `attachNetwork`. */
  readonly socket: Duplex;
  /** Frames that came from the network. */
  readonly heard: EthernetFrame[] = [];
  private readonly wire: Duplex;
  private readonly reader = new FrameReader();
  private readonly peers = new Map<string, TcpPeer>();

  constructor(private readonly options: SimulatedOptions) {
    [this.wire, this.socket] = duplexPair();
    this.wire.on('data', (chunk: Buffer) => {
      for (const frame of this.reader.push(chunk) ?? []) this.troubled(() => this.receive(Buffer.from(frame)));
    });
    this.wire.on('error', () => undefined);
  }

  close(): void {
    for (const peer of this.peers.values()) peer.close();
    this.wire.destroy();
  }

  /** Any bytes as a frame. */
  sendRaw(frame: Buffer): void {
    this.troubled(() => this.wire.writable && this.wire.write(framed(frame)));
  }

  /** Without a length before them. */
  writeRaw(bytes: Buffer): void {
    this.wire.write(bytes);
  }

  sendFrame(type: number, payload: Buffer, destination: Buffer = Buffer.alloc(6, 0xff)): void {
    this.sendRaw(buildEthernet({ destination, source: GUEST_MAC, tags: [], type, payload }));
  }

  send(packet: OutgoingIp, destination?: Buffer): void {
    this.sendFrame(packet.destination.includes(':') ? ETHER_TYPE.ipv6 : ETHER_TYPE.ipv4, buildIp(packet), destination);
  }

  arp(sender: string, target: string): void {
    this.sendFrame(ETHER_TYPE.arp, buildArp({ operation: 'request', senderMac: GUEST_MAC, sender, targetMac: Buffer.alloc(6), target }));
  }

  private troubled(work: () => void): void {
    const { lost = 0, doubled = 0, late = 0, random = () => 1 } = this.options.trouble ?? {};
    if (random() < lost) return;
    const times = random() < doubled ? 2 : 1;
    for (let time = 0; time < times; time++) {
      if (random() < late) setTimeout(work, 1 + random() * 5);
      else work();
    }
  }

  private receive(bytes: Buffer): void {
    const frame = parseEthernet(bytes);
    if (!frame) return;
    this.heard.push(frame);
    const arp = frame.type === ETHER_TYPE.arp ? parseArp(frame.payload) : null;
    if (arp?.operation === 'request' && this.options.addresses.includes(arp.target)) this.sendFrame(ETHER_TYPE.arp, arpAnswer(arp, GUEST_MAC), frame.source);
    const packet = frame.type === ETHER_TYPE.arp ? null : parseIp(frame.payload);
    if (packet !== null && packet !== 'fragment') this.receivePacket(packet, frame);
  }

  private receivePacket(packet: IpPacket, frame: EthernetFrame): void {
    const message = packet.protocol === PROTOCOL.icmp || packet.protocol === PROTOCOL.icmpv6 ? parseIcmp(packet) : null;
    const neighbour = message && parseNeighbour(message, packet);
    if (neighbour?.kind === 'solicitation' && this.options.addresses.includes(neighbour.target)) {
      this.send(advertisement(neighbour.target, packet.source, GUEST_MAC), frame.source);
    }
    const linkLocal = this.options.addresses.find((address) => address.startsWith('fe80:'));
    const toAll = frame.destination.equals(groupMac('ff02::1')) ? linkLocal : undefined;
    const own = toAll ?? (this.options.addresses.includes(packet.destination) ? packet.destination : null);
    if (own === null) return;
    if (message?.kind === 'echo-request') this.send(echo(own, packet.source, 'reply', message), frame.source);
    if (packet.protocol === PROTOCOL.udp) this.receiveUdp(packet, frame);
    const segment = packet.protocol === PROTOCOL.tcp ? parseTcp(packet) : null;
    if (segment) this.receiveTcp(packet, segment, frame);
  }

  private receiveUdp(packet: IpPacket, frame: EthernetFrame): void {
    const datagram = parseUdp(packet);
    const answer = datagram && this.options.datagrams?.[datagram.destinationPort]?.(datagram.payload);
    if (!datagram || !answer) return;
    const ports = { sourcePort: datagram.destinationPort, destinationPort: datagram.sourcePort };
    this.send(udpPacket(packet.destination, packet.source, { ...ports, payload: answer }), frame.source);
  }

  private receiveTcp(packet: IpPacket, segment: TcpSegment, frame: EthernetFrame): void {
    const service = this.options.services?.[segment.destinationPort];
    const key = `${packet.source} ${segment.sourcePort} ${segment.destinationPort}`;
    const transmit = (answer: TcpSegment) => this.send(tcpPacket(packet.destination, packet.source, answer), frame.source);
    const known = this.peers.get(key);
    if (known) known.receive(segment);
    else if (service && segment.syn) this.peers.set(key, new TcpPeer(segment, service, transmit, this.options.firstSequence ?? 0xfffffff0));
    else if (!service && !segment.rst) {
      const numbers = { sequence: 0, acknowledgement: (segment.sequence + 1) >>> 0, window: 0, maxSegmentBytes: null, data: Buffer.alloc(0) };
      const ports = { sourcePort: segment.destinationPort, destinationPort: segment.sourcePort };
      transmit({ ...ports, ...numbers, syn: false, fin: false, push: false, rst: true });
    }
  }
}
