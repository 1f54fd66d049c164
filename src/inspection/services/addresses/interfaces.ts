/** /etc/network/interfaces of Debian's ifupdown and Alpine: interfaces(5). */
import { posix } from 'node:path';
import type { ConfiguredAddress } from '../../../types.js';
import { linesWithIncludes } from '../includes.js';
import { type AddressSource, byDhcp, fixed, ipOrNull, macOrNull } from './configured.js';

const PATH = '/etc/network/interfaces';
interface Stanza {
  card: string;
  method: string;
  options: Map<string, string>;
  from: string;
}

export const ifupdown: AddressSource = async (reader) => {
  const stanzas: Stanza[] = [];
  const automatic = new Set<string>();
  let current: Stanza | null = null;
  for (const { line, path } of await linesWithIncludes(reader, PATH, sourced)) {
    const [word = '', ...values] = line.split(/\s+/);
    if (word === 'iface') {
      current = { card: values[0] ?? '', method: values.at(-1) ?? '', options: new Map(), from: path };
      stanzas.push(current);
    } else if (/^(auto|allow-)/.test(word)) for (const name of values) automatic.add(name);
    else current?.options.set(word, values.join(' '));
  }
  return stanzas.filter(({ card }) => automatic.has(card) && card !== 'lo').flatMap(addressesOf);
};

function sourced(line: string): string[] | null {
  const [word = '', pattern = ''] = line.split(/\s+/);
  const target = posix.resolve('/etc/network', pattern);
  if (word === 'source-directory') return [`${target}/*`];
  return word === 'source' ? [target] : null;
}

function addressesOf({ card, method, options, from }: Stanza): ConfiguredAddress[] {
  const place = { interface: card, mac: macOrNull(options.get('hwaddress')?.replace(/^ether\s+/, '')), from };
  if (method === 'dhcp' || method === 'auto') return [byDhcp(place)];
  if (method !== 'static') return [];
  return fixed(options.get('address') ?? '', ipOrNull(options.get('gateway')), place, options.get('netmask') ?? null);
}
