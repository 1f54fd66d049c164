/** User datagrams: RFC 768; over IPv6 the checksum is not optional: RFC 8200, 8.1. */
import { familyOf } from './addresses.js';
import { internetChecksum, pseudoHeader } from './checksum.js';
import { type IpPacket, type OutgoingIp, PROTOCOL } from './ip.js';

export interface Datagram {
  sourcePort: number;
  destinationPort: number;
  payload: Buffer;
}

export function parseUdp({ source, destination, payload: bytes }: Pick<IpPacket, 'source' | 'destination' | 'payload'>): Datagram | null {
  if (bytes.length < 8) return null;
  const length = bytes.readUInt16BE(4);
  if (length < 8 || length > bytes.length) return null;
  const datagram = bytes.subarray(0, length);
  const unsummed = datagram.readUInt16BE(6) === 0 && familyOf(source) === 4;
  if (!unsummed && internetChecksum(pseudoHeader(source, destination, PROTOCOL.udp, length), datagram) !== 0) return null;
  return { sourcePort: datagram.readUInt16BE(0), destinationPort: datagram.readUInt16BE(2), payload: datagram.subarray(8) };
}

/** A packet with one datagram. */
export function udpPacket(source: string, destination: string, { sourcePort, destinationPort, payload }: Datagram): OutgoingIp {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(sourcePort, 0);
  head.writeUInt16BE(destinationPort, 2);
  head.writeUInt16BE(8 + payload.length, 4);
  const sum = internetChecksum(pseudoHeader(source, destination, PROTOCOL.udp, 8 + payload.length), head, payload);
  head.writeUInt16BE(sum === 0 ? 0xffff : sum, 6);
  return { source, destination, protocol: PROTOCOL.udp, payload: Buffer.concat([head, payload]) };
}
