/** Address resolution for IPv4 over Ethernet: RFC 826; probes and announcements: RFC 5227. */
import { ANY_IPV4, EVERYBODY, toBytes, toText } from './addresses.js';

export interface ArpPacket {
  operation: 'request' | 'reply';
  senderMac: Buffer;
  sender: string;
  targetMac: Buffer;
  target: string;
}

const LENGTH = 28;
const HEAD = Buffer.from([0, 1, 8, 0, 6, 4]);

export function parseArp(bytes: Buffer): ArpPacket | null {
  if (bytes.length < LENGTH || !bytes.subarray(0, 6).equals(HEAD)) return null;
  const operation = bytes.readUInt16BE(6);
  if (operation !== 1 && operation !== 2) return null;
  return {
    operation: operation === 1 ? 'request' : 'reply',
    senderMac: bytes.subarray(8, 14),
    sender: toText(bytes.subarray(14, 18)),
    targetMac: bytes.subarray(18, 24),
    target: toText(bytes.subarray(24, 28)),
  };
}

export function buildArp(packet: ArpPacket): Buffer {
  const operation = Buffer.from([0, packet.operation === 'request' ? 1 : 2]);
  return Buffer.concat([HEAD, operation, packet.senderMac, toBytes(packet.sender), packet.targetMac, toBytes(packet.target)]);
}

/** Somebody asks whether an address is taken before using it: an answer would keep it from that address. */
export function isProbe(packet: ArpPacket): boolean {
  return packet.operation === 'request' && packet.sender === ANY_IPV4;
}

export function arpRequest(ownMac: Buffer, own: string, target: string): Buffer {
  return buildArp({ operation: 'request', senderMac: ownMac, sender: own, targetMac: Buffer.alloc(6), target });
}

/** Says that the address asked for is at `ownMac`. */
export function arpAnswer(request: ArpPacket, ownMac: Buffer): Buffer {
  return buildArp({ operation: 'reply', senderMac: ownMac, sender: request.target, targetMac: request.senderMac, target: request.sender });
}

export const ARP_DESTINATION = EVERYBODY;
