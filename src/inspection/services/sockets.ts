/** Sockets that systemd itself listens at, and starts a daemon for: systemd.socket(5). */
import { addressOf, endpointOf, type Offer } from './offer.js';
import type { GuestReader } from './reader.js';
import { unitSettings } from './units.js';

/** What is behind sockets that are known by their name. */
const PROTOCOLS: [name: RegExp, protocol: string][] = [
  [/^(ssh|sshd)\.socket$/, 'ssh'],
  [/^dropbear\.socket$/, 'ssh'],
  [/^redis(-server)?\.socket$/, 'redis'],
  [/^(dovecot|imap)\.socket$/, 'imap'],
  [/^cockpit\.socket$/, 'https'],
];

/** @param unit with `.socket` */
export async function socketOffers(reader: GuestReader, unit: string): Promise<Offer[]> {
  const settings = await unitSettings(reader, unit);
  let offers: Offer[] = [];
  for (const { section, key, value } of settings?.entries ?? []) {
    if (section !== 'socket' || !/^Listen(Stream|Datagram)$/.test(key)) continue;
    // An empty value takes back all before it.
    if (value === '') offers = [];
    else offers.push(...offerOf(unit, key, value, settings?.path ?? ''));
  }
  return offers;
}

function offerOf(unit: string, key: string, value: string, from: string): Offer[] {
  if (!/^(\[[^\]]*\]:\d+|[^/@:]*:\d+|\d+)$/.test(value)) return [];
  const known = PROTOCOLS.find(([name]) => name.test(unit))?.[1];
  const { address, port } = endpointOf(value, 0);
  return [{ protocol: key === 'ListenDatagram' ? 'udp' : (known ?? protocolOfPort(port)), port, address: address === null ? null : addressOf(address), from }];
}

/** Where only the port says what it is for, so much is known: that connections are accepted there. */
function protocolOfPort(port: number): string {
  return { 22: 'ssh', 80: 'http', 443: 'https' }[port] ?? 'tcp';
}
