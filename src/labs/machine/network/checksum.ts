/** The internet's checksum: RFC 1071. */
import { toBytes } from './addresses.js';

/** Over parts that follow each other; all but the last have an even length. A sum that includes a right checksum is 0. */
export function internetChecksum(...parts: Buffer[]): number {
  let sum = 0;
  for (const part of parts) sum += sumOf(part);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

function sumOf(part: Buffer): number {
  let sum = 0;
  const even = part.length & ~1;
  for (let at = 0; at < even; at += 2) sum += ((part[at] ?? 0) << 8) | (part[at + 1] ?? 0);
  return part.length === even ? sum : sum + ((part[even] ?? 0) << 8);
}

/** What the checksums of TCP, UDP and ICMPv6 cover besides their own bytes: RFC 9293, 3.1 and RFC 8200, 8.1. */
export function pseudoHeader(source: string, destination: string, protocol: number, lengthBytes: number): Buffer {
  const addresses = Buffer.concat([toBytes(source), toBytes(destination)]);
  const rest = Buffer.alloc(addresses.length === 8 ? 4 : 8);
  if (rest.length === 4) rest.writeUInt16BE(protocol, 0);
  else rest.writeUInt32BE(protocol, 4);
  if (rest.length === 4) rest.writeUInt16BE(lengthBytes, 2);
  else rest.writeUInt32BE(lengthBytes, 0);
  return Buffer.concat([addresses, rest]);
}
