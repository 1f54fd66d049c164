/** What is common to all ways in which a guest is given its addresses. */
import { isIP } from 'node:net';
import type { ConfiguredAddress } from '../../../types.js';
import type { GuestReader } from '../reader.js';

export type AddressSource = (reader: GuestReader) => Promise<ConfiguredAddress[]>;

/** `10.0.0.5/24`; null when it is no address. */
export function withPrefix(text: string, mask: string | null = null): { address: string; prefix: number | null } | null {
  const [address = '', length] = text.trim().split('/');
  if (isIP(address) === 0) return null;
  const prefix = length !== undefined && /^\d{1,3}$/.test(length) ? Number(length) : prefixOf(mask);
  return { address: address.toLowerCase(), prefix: prefix !== null && prefix > (isIP(address) === 6 ? 128 : 32) ? null : prefix };
}

/** `255.255.255.0` or `24`. */
export function prefixOf(mask: string | null): number | null {
  if (mask === null || mask.trim() === '') return null;
  if (/^\d{1,3}$/.test(mask.trim())) return Number(mask);
  if (isIP(mask.trim()) !== 4) return null;
  const bits = mask
    .trim()
    .split('.')
    .map((byte) => Number(byte).toString(2).padStart(8, '0'))
    .join('');
  return /^1*0*$/.test(bits) ? bits.replace(/0+$/, '').length : null;
}

export function ipOrNull(text: string | undefined): string | null {
  const clean = (text ?? '').trim().toLowerCase();
  return isIP(clean) === 0 ? null : clean;
}

export function macOrNull(text: string | undefined): string | null {
  const clean = (text ?? '').trim().toLowerCase().replaceAll('-', ':');
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(clean) ? clean : null;
}

type Card = Pick<ConfiguredAddress, 'interface' | 'mac' | 'from'>;

export function fixed(text: string, gateway: string | null, card: Card, mask: string | null = null): ConfiguredAddress[] {
  const parsed = withPrefix(text, mask);
  if (!parsed) return [];
  const sameFamily = gateway !== null && gateway.includes(':') === parsed.address.includes(':');
  return [{ method: 'static', ...parsed, gateway: sameFamily ? gateway : null, ...card }];
}

export function byDhcp(card: Card): ConfiguredAddress {
  return { method: 'dhcp', address: null, prefix: null, gateway: null, ...card };
}
