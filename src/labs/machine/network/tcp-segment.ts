/** Segments of TCP: RFC 9293, 3.1. */
import { familyOf } from './addresses.js';
import { internetChecksum, pseudoHeader } from './checksum.js';
import { type IpPacket, type OutgoingIp, PROTOCOL } from './ip.js';

export interface TcpSegment {
  sourcePort: number;
  destinationPort: number;
  sequence: number;
  /** Null without ACK. */
  acknowledgement: number | null;
  syn: boolean;
  fin: boolean;
  rst: boolean;
  push: boolean;
  window: number;
  /** Longest segment the sender takes, from its SYN; null when it does not say. */
  maxSegmentBytes: number | null;
  data: Buffer;
}

const FLAG = { fin: 1, syn: 2, rst: 4, push: 8, ack: 16 } as const;
const OPTION = { end: 0, nothing: 1, maxSegment: 2 } as const;

export function parseTcp({ source, destination, payload: bytes }: Pick<IpPacket, 'source' | 'destination' | 'payload'>): TcpSegment | null {
  if (bytes.length < 20) return null;
  const headerBytes = (bytes.readUInt8(12) >> 4) * 4;
  if (headerBytes < 20 || headerBytes > bytes.length) return null;
  if (internetChecksum(pseudoHeader(source, destination, PROTOCOL.tcp, bytes.length), bytes) !== 0) return null;
  const flags = bytes.readUInt8(13);
  const has = (flag: number) => (flags & flag) !== 0;
  return {
    sourcePort: bytes.readUInt16BE(0),
    destinationPort: bytes.readUInt16BE(2),
    sequence: bytes.readUInt32BE(4),
    acknowledgement: has(FLAG.ack) ? bytes.readUInt32BE(8) : null,
    ...{ syn: has(FLAG.syn), fin: has(FLAG.fin), rst: has(FLAG.rst), push: has(FLAG.push) },
    window: bytes.readUInt16BE(14),
    maxSegmentBytes: maxSegmentOf(bytes.subarray(20, headerBytes)),
    data: bytes.subarray(headerBytes),
  };
}

function maxSegmentOf(options: Buffer): number | null {
  for (let at = 0; at < options.length; ) {
    const kind = options[at];
    if (kind === OPTION.end) return null;
    const length = kind === OPTION.nothing ? 1 : (options[at + 1] ?? 0);
    if (kind !== OPTION.nothing && length < 2) return null;
    if (kind === OPTION.maxSegment && length === 4 && at + 4 <= options.length) return options.readUInt16BE(at + 2);
    at += length;
  }
  return null;
}

export function tcpPacket(source: string, destination: string, segment: TcpSegment): OutgoingIp {
  const options = segment.maxSegmentBytes === null ? Buffer.alloc(0) : Buffer.from([2, 4, segment.maxSegmentBytes >> 8, segment.maxSegmentBytes & 0xff]);
  const head = Buffer.alloc(20);
  head.writeUInt16BE(segment.sourcePort, 0);
  head.writeUInt16BE(segment.destinationPort, 2);
  head.writeUInt32BE(segment.sequence, 4);
  head.writeUInt32BE(segment.acknowledgement ?? 0, 8);
  head.writeUInt8(((20 + options.length) / 4) << 4, 12);
  head.writeUInt8(flagsOf(segment), 13);
  head.writeUInt16BE(segment.window, 14);
  const length = head.length + options.length + segment.data.length;
  head.writeUInt16BE(internetChecksum(pseudoHeader(source, destination, PROTOCOL.tcp, length), head, options, segment.data), 16);
  return { source, destination, protocol: PROTOCOL.tcp, payload: Buffer.concat([head, options, segment.data]) };
}

function flagsOf({ syn, fin, rst, push, acknowledgement }: TcpSegment): number {
  return (syn ? FLAG.syn : 0) | (fin ? FLAG.fin : 0) | (rst ? FLAG.rst : 0) | (push ? FLAG.push : 0) | (acknowledgement === null ? 0 : FLAG.ack);
}

/** How much of the sequence a segment takes up. */
export function sequenceLength({ syn, fin, data }: TcpSegment): number {
  return data.length + (syn ? 1 : 0) + (fin ? 1 : 0);
}

/** The answer to a segment that belongs to no connection: RFC 9293, 3.10.7.1. Null to a reset. */
export function refusal(segment: TcpSegment): TcpSegment | null {
  if (segment.rst) return null;
  const answered = segment.acknowledgement !== null;
  return {
    ...{ sourcePort: segment.destinationPort, destinationPort: segment.sourcePort, sequence: segment.acknowledgement ?? 0 },
    acknowledgement: answered ? null : plus(segment.sequence, sequenceLength(segment)),
    ...{ syn: false, fin: false, rst: true, push: false, window: 0, maxSegmentBytes: null, data: Buffer.alloc(0) },
  };
}

/** The largest data of one segment without being cut: 1500 bytes of Ethernet less both headers. */
export function ownMaxSegment(address: string): number {
  return familyOf(address) === 6 ? 1440 : 1460;
}

// ---------------------------------------------------------------- sequence numbers: RFC 9293, 3.4

export function plus(sequence: number, bytes: number): number {
  return (sequence + bytes) >>> 0;
}

/** How far `a` lies after `b`; negative before it. */
export function distance(a: number, b: number): number {
  return (a - b) | 0;
}
