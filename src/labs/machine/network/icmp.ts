/** Messages about the internet itself, of both families in one shape: RFC 792 and RFC 4443. */
import { familyOf } from './addresses.js';
import { internetChecksum, pseudoHeader } from './checksum.js';
import { type IpPacket, type OutgoingIp, PROTOCOL, parseIp } from './ip.js';

/** `other`: neighbour discovery and group membership of IPv6, and what nobody here needs. */
export type IcmpMessage =
  | { kind: 'echo-request' | 'echo-reply'; id: number; sequence: number; data: Buffer }
  | { kind: 'unreachable'; code: number; about: Quoted }
  | { kind: 'other'; type: number; body: Buffer };

/** The packet of ours that an error is about. */
export interface Quoted {
  source: string;
  destination: string;
  protocol: number;
  sourcePort: number;
  destinationPort: number;
}

const TYPES = { 4: { request: 8, reply: 0, unreachable: 3 }, 6: { request: 128, reply: 129, unreachable: 1 } } as const;
/** How much of a packet an error quotes: all that surely fits. */
const QUOTED_BYTES = { 4: 548, 6: 1232 } as const;

export function parseIcmp(packet: IpPacket): IcmpMessage | null {
  const bytes = packet.payload;
  if (bytes.length < 8 || !isSound(packet)) return null;
  const types = TYPES[familyOf(packet.source)];
  const type = bytes.readUInt8(0);
  if (type === types.request || type === types.reply) {
    const kind = type === types.request ? 'echo-request' : 'echo-reply';
    return { kind, id: bytes.readUInt16BE(4), sequence: bytes.readUInt16BE(6), data: bytes.subarray(8) };
  }
  if (type !== types.unreachable) return { kind: 'other', type, body: bytes.subarray(4) };
  const about = parseQuoted(bytes.subarray(8));
  return about && { kind: 'unreachable', code: bytes.readUInt8(1), about };
}

function isSound({ source, destination, protocol, payload }: IpPacket): boolean {
  if (familyOf(source) === 4) return protocol === PROTOCOL.icmp && internetChecksum(payload) === 0;
  return protocol === PROTOCOL.icmpv6 && internetChecksum(pseudoHeader(source, destination, protocol, payload.length), payload) === 0;
}

/** A quoted packet is cut short, so its lengths are not held against its bytes. */
function parseQuoted(bytes: Buffer): Quoted | null {
  const copy = Buffer.from(bytes);
  if ((copy[0] ?? 0) >> 4 === 4 && copy.length >= 20) {
    copy.writeUInt16BE(copy.length, 2);
    copy.writeUInt16BE(0, 10);
    const headerBytes = Math.min(copy.length, ((copy[0] ?? 0) & 0xf) * 4);
    copy.writeUInt16BE(internetChecksum(copy.subarray(0, headerBytes)), 10);
  } else if (copy.length >= 40) copy.writeUInt16BE(copy.length - 40, 4);
  const packet = parseIp(copy);
  if (packet === null || packet === 'fragment' || packet.payload.length < 4) return null;
  const { source, destination, protocol, payload } = packet;
  return { source, destination, protocol, sourcePort: payload.readUInt16BE(0), destinationPort: payload.readUInt16BE(2) };
}

export function echo(source: string, destination: string, kind: 'request' | 'reply', body: { id: number; sequence: number; data: Buffer }): OutgoingIp {
  const rest = Buffer.alloc(4);
  rest.writeUInt16BE(body.id, 0);
  rest.writeUInt16BE(body.sequence, 2);
  return icmpPacket(source, destination, TYPES[familyOf(source)][kind], 0, Buffer.concat([rest, body.data]));
}

/** Nobody listens at the port of this datagram: RFC 1122, 4.1.3.1 and RFC 4443, 3.1. */
export function portUnreachable(about: IpPacket): OutgoingIp {
  const family = familyOf(about.source);
  const quoted = about.whole.subarray(0, QUOTED_BYTES[family]);
  return icmpPacket(about.destination, about.source, TYPES[family].unreachable, family === 4 ? 3 : 4, Buffer.concat([Buffer.alloc(4), quoted]));
}

/** @param body all after the checksum */
export function icmpPacket(source: string, destination: string, type: number, code: number, body: Buffer, hopLimit?: number): OutgoingIp {
  const protocol = familyOf(source) === 6 ? PROTOCOL.icmpv6 : PROTOCOL.icmp;
  const payload = Buffer.concat([Buffer.from([type, code, 0, 0]), body]);
  const pseudo = protocol === PROTOCOL.icmpv6 ? [pseudoHeader(source, destination, protocol, payload.length)] : [];
  payload.writeUInt16BE(internetChecksum(...pseudo, payload), 2);
  return { source, destination, protocol, payload, ...(hopLimit === undefined ? {} : { hopLimit }) };
}
