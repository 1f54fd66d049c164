/** What a daemon offers, by its own settings. */
import { isIP } from 'node:net';
import type { GuestReader } from './reader.js';

export interface Offer {
  /** As probes know it. */
  protocol: string;
  port: number;
  /** Null: at every address. */
  address: string | null;
  /** The file that says so, or that would if it said otherwise than the default. */
  from: string;
}

export interface Daemon {
  /** Names of its units, without `.service`. */
  units: RegExp;
  /** @param unit the name that is enabled */
  offers(reader: GuestReader, unit: string): Promise<Offer[]>;
}

const EVERYWHERE = /^(\*?|any|0|0\.0\.0\.0|[:0]*::[:0]*)$/;
const MAX_OFFERS = 64;

/** An address as settings name it. Names of hosts that are not known count as everywhere: somewhere it will be. */
export function addressOf(text: string): string | null {
  const bare = text
    .trim()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/%.*$/, '')
    .toLowerCase();
  if (EVERYWHERE.test(bare)) return null;
  if (/^(localhost|ip6-localhost|localhost\.localdomain|loopback)$/.test(bare)) return '127.0.0.1';
  return isIP(bare) ? bare : null;
}

/** Whether only the guest itself can reach it. */
export function isLoopback(address: string | null): boolean {
  return address !== null && (/^127\./.test(address) || address === '::1' || /^::ffff:127\./.test(address));
}

/** `host:port`, `[v6]:port`, `port` or `host`, with what is left out. */
export function endpointOf(text: string, defaultPort: number): { address: string | null; port: number } {
  const clean = text.trim();
  if (/^\d{1,5}$/.test(clean)) return { address: null, port: Number(clean) };
  const bracketed = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(clean);
  if (bracketed) return { address: addressOf(bracketed[1] ?? ''), port: Number(bracketed[2] ?? defaultPort) };
  const plain = /^([^:]*):(\d{1,5})$/.exec(clean);
  return plain ? { address: addressOf(plain[1] ?? ''), port: Number(plain[2]) } : { address: addressOf(clean), port: defaultPort };
}

/** Without what no port can be, without repetitions, and without single addresses where every address is offered. */
export function tidy(offers: Offer[]): Offer[] {
  const kept = new Map<string, Offer>();
  const everywhere = new Set(offers.filter(({ address }) => address === null).map(({ protocol, port }) => `${protocol} ${port}`));
  for (const offer of offers) {
    const { protocol, port, address } = offer;
    if (!Number.isInteger(port) || port < 1 || port > 65_535) continue;
    if (address !== null && everywhere.has(`${protocol} ${port}`)) continue;
    if (kept.size < MAX_OFFERS) kept.set(`${protocol} ${port} ${address}`, kept.get(`${protocol} ${port} ${address}`) ?? offer);
  }
  return [...kept.values()];
}

/** The same port at several addresses; an empty list is nowhere. */
export function atEach(protocol: string, port: number, addresses: (string | null)[], from: string): Offer[] {
  return addresses.map((address) => ({ protocol, port, address, from }));
}
