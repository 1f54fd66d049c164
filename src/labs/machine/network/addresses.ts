/** Addresses of the link and of the internet, between text and bytes. Text is canonical (RFC 5952), so that it can be a key. */
import { isIPv4, isIPv6 } from 'node:net';

export type Family = 4 | 6;

export const ANY_IPV4 = '0.0.0.0';
export const ANY_IPV6 = '::';
export const ALL_NODES = 'ff02::1';
/** Broadcast of a link. */
export const EVERYBODY = Buffer.alloc(6, 0xff);

export function familyOf(address: string): Family {
  return address.includes(':') ? 6 : 4;
}

/** The one text of an address, or null when it is none. A zone (`%eth0`) and a prefix length (`/24`) are left out. */
export function canonical(text: string): string | null {
  const bare = text.trim().replace(/[%/].*$/s, '');
  if (isIPv4(bare)) return bare;
  return isIPv6(bare) ? toText(ipv6Bytes(bare)) : null;
}

/** @param address canonical */
export function toBytes(address: string): Buffer {
  return familyOf(address) === 6 ? ipv6Bytes(address) : Buffer.from(address.split('.').map(Number));
}

/** @param bytes four or sixteen */
export function toText(bytes: Buffer): string {
  return bytes.length === 4 ? bytes.join('.') : ipv6Text(bytes);
}

function ipv6Bytes(text: string): Buffer {
  const [head = '', tail] = text.replace(/[\d.]+$/, (end) => (end.includes('.') ? embeddedIpv4(end) : end)).split('::');
  const groups = (part: string) => part.split(':').filter(Boolean);
  const first = groups(head);
  const last = groups(tail ?? '');
  const all = [...first, ...Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0'), ...last];
  const bytes = Buffer.alloc(16);
  for (const [index, group] of all.slice(0, 8).entries()) bytes.writeUInt16BE(Number.parseInt(group, 16) & 0xffff, index * 2);
  return bytes;
}

/** `1.2.3.4` at the end of an IPv6 address, as two groups. */
function embeddedIpv4(text: string): string {
  const hex = Buffer.from(text.split('.').map(Number)).toString('hex');
  return `${hex.slice(0, 4)}:${hex.slice(4)}`;
}

function ipv6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2));
  const [start, length] = longestZeroes(groups);
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(':');
  return length < 2 ? hex(groups) : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

function longestZeroes(groups: number[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start > best[1]) best = [start, end - start];
  }
  return best;
}

export function macText(mac: Buffer): string {
  return [...mac].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** Group bit of IEEE 802. */
export function isGroupMac(mac: Buffer): boolean {
  return ((mac[0] ?? 0) & 1) === 1;
}

/** An address that one host can have and others can reach: no loopback, no group, no placeholder. */
export function isHostAddress(address: string): boolean {
  const bytes = toBytes(address);
  const first = bytes[0] ?? 0;
  if (bytes.length === 4) return first !== 0 && first !== 127 && first < 224;
  return first !== 0xff && bytes.subarray(0, 15).some((byte) => byte !== 0);
}

export function isLinkLocal(address: string): boolean {
  const [first = 0, second = 0] = toBytes(address);
  return familyOf(address) === 6 ? first === 0xfe && (second & 0xc0) === 0x80 : first === 169 && second === 254;
}

/** Where a solicitation for an address goes: `ff02::1:ff` and its last three bytes (RFC 4291, 2.7.1). */
export function solicitedNode(address: string): string {
  const bytes = Buffer.from('ff0200000000000000000001ff000000', 'hex');
  toBytes(address).copy(bytes, 13, 13);
  return toText(bytes);
}

/** Link address of an IPv6 group (RFC 2464, 7). */
export function groupMac(address: string): Buffer {
  return Buffer.concat([Buffer.from([0x33, 0x33]), toBytes(address).subarray(12)]);
}
