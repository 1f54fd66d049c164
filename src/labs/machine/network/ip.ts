/** Packets of both internet protocols in one shape: RFC 791 and RFC 8200. */
import { familyOf, toBytes, toText } from './addresses.js';
import { internetChecksum } from './checksum.js';

export const PROTOCOL = { icmp: 1, igmp: 2, tcp: 6, udp: 17, icmpv6: 58 } as const;

export interface IpPacket {
  source: string;
  destination: string;
  protocol: number;
  hopLimit: number;
  payload: Buffer;
  /** From the first byte of the header: what an ICMP error quotes. */
  whole: Buffer;
}

/** `fragment`: a piece of a datagram. None of what we ask is answered by more than one packet, so pieces are not put together. */
export type ParsedIp = IpPacket | 'fragment' | null;

const TTL = 64;
/** Extension headers of IPv6 that may stand before the payload: RFC 8200, 4. */
const EXTENSIONS = new Set([0, 43, 60]);
const FRAGMENT = 44;
const MAX_EXTENSIONS = 8;

export function parseIp(bytes: Buffer): ParsedIp {
  const version = (bytes[0] ?? 0) >> 4;
  if (version === 4) return parseIpv4(bytes);
  return version === 6 ? parseIpv6(bytes) : null;
}

function parseIpv4(bytes: Buffer): ParsedIp {
  if (bytes.length < 20) return null;
  const headerBytes = (bytes.readUInt8(0) & 0xf) * 4;
  const totalBytes = bytes.readUInt16BE(2);
  if (headerBytes < 20 || totalBytes < headerBytes || totalBytes > bytes.length) return null;
  if (internetChecksum(bytes.subarray(0, headerBytes)) !== 0) return null;
  if ((bytes.readUInt16BE(6) & 0x3fff) !== 0) return 'fragment';
  return {
    source: toText(bytes.subarray(12, 16)),
    destination: toText(bytes.subarray(16, 20)),
    protocol: bytes.readUInt8(9),
    hopLimit: bytes.readUInt8(8),
    payload: bytes.subarray(headerBytes, totalBytes),
    whole: bytes.subarray(0, totalBytes),
  };
}

function parseIpv6(bytes: Buffer): ParsedIp {
  if (bytes.length < 40) return null;
  const end = 40 + bytes.readUInt16BE(4);
  if (end > bytes.length) return null;
  const inner = skipExtensions(bytes.subarray(0, end));
  if (inner === null || inner === 'fragment') return inner;
  return {
    source: toText(bytes.subarray(8, 24)),
    destination: toText(bytes.subarray(24, 40)),
    protocol: inner.protocol,
    hopLimit: bytes.readUInt8(7),
    payload: bytes.subarray(inner.at, end),
    whole: bytes.subarray(0, end),
  };
}

function skipExtensions(bytes: Buffer): { protocol: number; at: number } | 'fragment' | null {
  let protocol = bytes.readUInt8(6);
  let at = 40;
  for (let passed = 0; EXTENSIONS.has(protocol); passed++) {
    if (passed === MAX_EXTENSIONS || bytes.length < at + 8) return null;
    protocol = bytes.readUInt8(at);
    at += 8 + 8 * bytes.readUInt8(at + 1);
    if (at > bytes.length) return null;
  }
  return protocol === FRAGMENT ? 'fragment' : { protocol, at };
}

export type OutgoingIp = Pick<IpPacket, 'source' | 'destination' | 'protocol' | 'payload'> & { hopLimit?: number };

/** Both addresses are of one family. */
export function buildIp(packet: OutgoingIp): Buffer {
  return familyOf(packet.destination) === 6 ? buildIpv6(packet) : buildIpv4(packet);
}

function buildIpv4({ source, destination, protocol, payload, hopLimit = TTL }: OutgoingIp): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt8(0x45, 0);
  head.writeUInt16BE(20 + payload.length, 2);
  head.writeUInt16BE(0x4000, 6); // an atomic datagram: its identification says nothing (RFC 6864)
  head.writeUInt8(hopLimit, 8);
  head.writeUInt8(protocol, 9);
  toBytes(source).copy(head, 12);
  toBytes(destination).copy(head, 16);
  head.writeUInt16BE(internetChecksum(head), 10);
  return Buffer.concat([head, payload]);
}

function buildIpv6({ source, destination, protocol, payload, hopLimit = TTL }: OutgoingIp): Buffer {
  const head = Buffer.alloc(40);
  head.writeUInt8(0x60, 0);
  head.writeUInt16BE(payload.length, 4);
  head.writeUInt8(protocol, 6);
  head.writeUInt8(hopLimit, 7);
  toBytes(source).copy(head, 8);
  toBytes(destination).copy(head, 24);
  return Buffer.concat([head, payload]);
}
