/** Neighbours and routers of IPv6: RFC 4861; how an address is claimed: RFC 4862, 5.4. */
import { ALL_NODES, ANY_IPV6, solicitedNode, toBytes, toText } from './addresses.js';
import { type IcmpMessage, icmpPacket } from './icmp.js';
import type { IpPacket, OutgoingIp } from './ip.js';

export type NeighbourMessage = { kind: 'router-solicitation' } | { kind: 'solicitation' | 'advertisement'; target: string };

const TYPE = { routerSolicitation: 133, routerAdvertisement: 134, solicitation: 135, advertisement: 136, redirect: 137 } as const;
/** Only neighbours can send it: every router lowers it. */
const HOP_LIMIT = 255;
/** Router, solicited, override: a router that is asked about once must stay one (RFC 4861, 7.2.5). */
const FLAGS = 0xe0;
const ROUTER_LIFETIME_SECONDS = 1800;
const PREFIX_SECONDS = 86_400;

/** Types of ICMPv6 that are neighbour discovery, whatever is in them. */
export function isNeighbourDiscovery(type: number): boolean {
  return type >= TYPE.routerSolicitation && type <= TYPE.redirect;
}

export function parseNeighbour(message: IcmpMessage, packet: IpPacket): NeighbourMessage | null {
  if (message.kind !== 'other' || packet.hopLimit !== HOP_LIMIT) return null;
  if (message.type === TYPE.routerSolicitation) return { kind: 'router-solicitation' };
  if ((message.type !== TYPE.solicitation && message.type !== TYPE.advertisement) || message.body.length < 20) return null;
  return { kind: message.type === TYPE.solicitation ? 'solicitation' : 'advertisement', target: toText(message.body.subarray(4, 20)) };
}

/** @param own where the answer goes to */
export function solicitation(own: string, target: string, ownMac: Buffer): OutgoingIp {
  const body = Buffer.concat([Buffer.alloc(4), toBytes(target), linkAddress(1, ownMac)]);
  return icmpPacket(own, solicitedNode(target), TYPE.solicitation, 0, body, HOP_LIMIT);
}

/** Says that `target` is at `ownMac`. */
export function advertisement(target: string, asker: string, ownMac: Buffer): OutgoingIp {
  const body = Buffer.concat([Buffer.from([FLAGS, 0, 0, 0]), toBytes(target), linkAddress(2, ownMac)]);
  return icmpPacket(target, asker === ANY_IPV6 ? ALL_NODES : asker, TYPE.advertisement, 0, body, HOP_LIMIT);
}

/** A router with one prefix of 64 bits to make addresses from. `prefix`: `fd00::`. */
export function routerAdvertisement(own: string, destination: string, ownMac: Buffer, prefix: string): OutgoingIp {
  const head = Buffer.alloc(12);
  head.writeUInt8(64, 0);
  head.writeUInt16BE(ROUTER_LIFETIME_SECONDS, 2);
  const information = Buffer.alloc(32);
  information.set([3, 4, 64, 0xc0]); // on this link, and for autonomous configuration (RFC 4861, 4.6.2)
  information.writeUInt32BE(PREFIX_SECONDS, 4);
  information.writeUInt32BE(PREFIX_SECONDS, 8);
  toBytes(prefix).copy(information, 16);
  const to = destination === ANY_IPV6 ? ALL_NODES : destination;
  return icmpPacket(own, to, TYPE.routerAdvertisement, 0, Buffer.concat([head, linkAddress(1, ownMac), information]), HOP_LIMIT);
}

/** Option 1: of the sender, 2: of the target. */
function linkAddress(option: 1 | 2, mac: Buffer): Buffer {
  return Buffer.concat([Buffer.from([option, 1]), mac]);
}
