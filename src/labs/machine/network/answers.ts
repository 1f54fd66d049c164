/**
 * What the guest hears in answer to what it sends: that every neighbour and gateway is there, an address by DHCP, the way back of a ping, and
 * a refusal of all else, at once, so that no boot waits for a timer. Nothing is ever passed on to anybody.
 */

import { ANY_IPV4, ANY_IPV6, EVERYBODY, isGroupMac, isHostAddress } from './addresses.js';
import { Allowance } from './allowance.js';
import { arpAnswer, isProbe, parseArp } from './arp.js';
import { buildDhcp, DHCP_CLIENT_PORT, DHCP_SERVER_PORT, parseDhcp } from './dhcp.js';
import { parseQuestion, serverFailure } from './dns.js';
import { ETHER_TYPE, type EthernetFrame, parseEthernet } from './ethernet.js';
import { echo, type IcmpMessage, parseIcmp, portUnreachable, type Quoted } from './icmp.js';
import { OWN_LINK_LOCAL, OWN_MAC, PREFIX } from './identity.js';
import { type IpPacket, PROTOCOL, parseIp } from './ip.js';
import type { Leases } from './leases.js';
import type { Link } from './link.js';
import { advertisement, isNeighbourDiscovery, parseNeighbour, routerAdvertisement } from './nd.js';
import type { Neighbours, Path } from './neighbours.js';
import { sendFrame, sendIp } from './sender.js';
import type { FrameKind, Tally } from './tally.js';
import { parseTcp, refusal, type TcpSegment, tcpPacket } from './tcp-segment.js';
import { type Datagram, parseUdp, udpPacket } from './udp.js';

/** What was asked of the guest, and takes its answers. */
export interface Asked {
  /** Each is told whether the packet was for one of its questions. */
  segment(packet: IpPacket, segment: TcpSegment): boolean;
  datagram(packet: IpPacket, datagram: Datagram): boolean;
  echo(packet: IpPacket, id: number, sequence: number): void;
  unreachable(about: Quoted): void;
  /** An address has said that it is there, because it was asked. */
  present(address: string): void;
  /** A frame came in this virtual network. */
  place(path: Path): void;
}

const DNS_PORT = 53;
const ANSWERS_PER_SECOND = 2000;
const REFUSALS_PER_SECOND = 200;

export class Answers {
  private readonly allowance = new Allowance(ANSWERS_PER_SECOND);
  private readonly unreachables = new Allowance(REFUSALS_PER_SECOND);

  constructor(
    private readonly neighbours: Neighbours,
    private readonly leases: Leases,
    private readonly tally: Tally,
    private readonly asked: Asked,
  ) {}

  receive(bytes: Buffer, link: Link): void {
    const frame = parseEthernet(bytes);
    if (!frame || isGroupMac(frame.source)) {
      this.tally.count('malformed');
      return;
    }
    if (frame.tags.length > 0) this.tally.countTagged();
    const path = { link, tags: frame.tags, mac: frame.source };
    this.asked.place(path);
    if (frame.type === ETHER_TYPE.arp) this.receiveArp(frame, path);
    else if (frame.type === ETHER_TYPE.ipv4 || frame.type === ETHER_TYPE.ipv6) this.receiveIp(frame, path);
    else this.tally.count(frame.type === ETHER_TYPE.lldp ? 'lldp' : frame.type < 0x600 ? 'llc' : 'other');
  }

  /** What was parsed, or could not be. */
  private counted<T>(parsed: T | null, kind: FrameKind): T | null {
    this.tally.count(parsed === null ? 'malformed' : kind);
    return parsed;
  }

  // ---------------------------------------------------------------- who is where

  private receiveArp(frame: EthernetFrame, path: Path): void {
    const packet = this.counted(parseArp(frame.payload), 'arp');
    if (!packet) return;
    const wanted = isProbe(packet) ? this.neighbours.probed(packet.target, path) : packet.sender !== packet.target && !this.neighbours.has(packet.target);
    if (packet.sender !== ANY_IPV4) this.neighbours.learn(packet.sender, { ...path, mac: packet.senderMac });
    if (packet.operation === 'reply') this.asked.present(packet.sender);
    else if (wanted && isHostAddress(packet.target) && this.allowance.take()) sendFrame(path, ETHER_TYPE.arp, arpAnswer(packet, OWN_MAC));
  }

  private receiveNeighbour(message: IcmpMessage, packet: IpPacket, path: Path): void {
    const neighbour = parseNeighbour(message, packet);
    if (!neighbour) return;
    if (neighbour.kind === 'router-solicitation') {
      if (this.allowance.take()) sendIp(path, routerAdvertisement(OWN_LINK_LOCAL, packet.source, OWN_MAC, PREFIX));
    } else if (neighbour.kind === 'advertisement') {
      this.neighbours.learn(neighbour.target, path);
      this.asked.present(neighbour.target);
    } else if (packet.source === ANY_IPV6) this.neighbours.learn(neighbour.target, path);
    else if (!this.neighbours.has(neighbour.target) && isHostAddress(neighbour.target) && this.allowance.take()) {
      sendIp(path, advertisement(neighbour.target, packet.source, OWN_MAC));
    }
  }

  // ---------------------------------------------------------------- packets

  private receiveIp(frame: EthernetFrame, path: Path): void {
    const packet = parseIp(frame.payload);
    const version = frame.type === ETHER_TYPE.ipv6 ? 'ipv6' : 'ipv4';
    if (packet === null || packet === 'fragment') {
      this.tally.count(packet === null ? 'malformed' : `${version}-fragment`);
      return;
    }
    this.neighbours.learn(packet.source, path);
    if (packet.protocol === PROTOCOL.udp) this.receiveUdp(packet, path, isGroupMac(frame.destination));
    else if (packet.protocol === PROTOCOL.tcp) this.receiveTcp(packet, path, isGroupMac(frame.destination));
    else if (packet.protocol === (version === 'ipv6' ? PROTOCOL.icmpv6 : PROTOCOL.icmp)) this.receiveIcmp(packet, path, isGroupMac(frame.destination));
    else this.tally.count(packet.protocol === PROTOCOL.igmp ? 'igmp' : `${version}-other`);
  }

  /** Whether a packet is for somebody else, of whom there is none: then we answer in its place. */
  private isOutside(packet: IpPacket, toGroup: boolean): boolean {
    return !toGroup && isHostAddress(packet.destination) && isHostAddress(packet.source) && !this.neighbours.has(packet.destination);
  }

  private receiveIcmp(packet: IpPacket, path: Path, toGroup: boolean): void {
    const ofIpv6 = packet.protocol === PROTOCOL.icmpv6;
    const parsed = parseIcmp(packet);
    const discovers = ofIpv6 && parsed?.kind === 'other' && isNeighbourDiscovery(parsed.type);
    const message = this.counted(parsed, discovers ? 'ipv6-nd' : ofIpv6 ? 'icmpv6' : 'icmp');
    if (!message) return;
    if (discovers) this.receiveNeighbour(message, packet, path);
    else if (message.kind === 'unreachable') this.asked.unreachable(message.about);
    else if (message.kind === 'echo-reply') this.asked.echo(packet, message.id, message.sequence);
    else if (message.kind === 'echo-request' && this.isOutside(packet, toGroup)) {
      this.tally.attempt('icmp', packet.destination, 0);
      if (this.allowance.take()) sendIp(path, echo(packet.destination, packet.source, 'reply', message));
    }
  }

  private receiveTcp(packet: IpPacket, path: Path, toGroup: boolean): void {
    const segment = this.counted(parseTcp(packet), 'tcp');
    if (!segment || this.asked.segment(packet, segment) || !this.isOutside(packet, toGroup)) return;
    if (segment.syn && segment.acknowledgement === null) this.tally.attempt('tcp', packet.destination, segment.destinationPort);
    const answer = refusal(segment);
    if (answer && this.allowance.take()) sendIp(path, tcpPacket(packet.destination, packet.source, answer));
  }

  private receiveUdp(packet: IpPacket, path: Path, toGroup: boolean): void {
    const parsed = parseUdp(packet);
    if (parsed?.destinationPort === DHCP_SERVER_PORT) {
      this.receiveDhcp(packet, parsed, path);
      return;
    }
    const datagram = this.counted(parsed, parsed?.destinationPort === DNS_PORT ? 'dns' : 'udp');
    if (datagram) this.refuseDatagram(packet, datagram, path, toGroup);
  }

  private refuseDatagram(packet: IpPacket, datagram: Datagram, path: Path, toGroup: boolean): void {
    const { destinationPort } = datagram;
    if (this.asked.datagram(packet, datagram) || !this.isOutside(packet, toGroup)) return;
    const question = destinationPort === DNS_PORT ? parseQuestion(datagram.payload) : null;
    this.tally.attempt(question ? 'dns' : 'udp', packet.destination, destinationPort, question?.name ?? null);
    if (question && this.allowance.take()) {
      const answer = { sourcePort: DNS_PORT, destinationPort: datagram.sourcePort, payload: serverFailure(question) };
      sendIp(path, udpPacket(packet.destination, packet.source, answer));
    } else if (!question && this.unreachables.take()) sendIp(path, portUnreachable(packet));
  }

  private receiveDhcp(packet: IpPacket, datagram: Datagram, path: Path): void {
    const request = this.counted(parseDhcp(datagram.payload), 'dhcp');
    const reply = request && this.leases.answer(request);
    if (!request || !reply || !this.allowance.take()) return;
    const known = packet.source === ANY_IPV4 ? null : packet.source;
    const to = known ?? (request.broadcast || reply.kind === 'nak' ? null : reply.address);
    const answer = { sourcePort: DHCP_SERVER_PORT, destinationPort: DHCP_CLIENT_PORT, payload: buildDhcp(request, reply) };
    sendIp({ ...path, mac: to === null ? EVERYBODY : path.mac }, udpPacket(reply.server, to ?? '255.255.255.255', answer));
    if (reply.kind === 'ack' && reply.address !== null) this.neighbours.learn(reply.address, path);
  }
}
