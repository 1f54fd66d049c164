/** *.network files of systemd-networkd: systemd.network(5). */
import { posix } from 'node:path';
import type { ConfiguredAddress } from '../../../types.js';
import { type IniEntry, iniEntries } from '../text.js';
import { type AddressSource, byDhcp, fixed, ipOrNull, macOrNull } from './configured.js';

const FOLDERS = ['/etc/systemd/network', '/usr/local/lib/systemd/network', '/usr/lib/systemd/network', '/lib/systemd/network'];

/** Of files of one name the first counts. What systemd itself ships is for containers and the like: only own files say something here. */
export const networkd: AddressSource = async (reader) => {
  const paths = (await Promise.all(FOLDERS.slice(0, 2).map((folder) => reader.glob(`${folder}/*.network`)))).flat();
  const first = [...new Map([...paths].reverse().map((path) => [posix.basename(path), path])).values()];
  return (await reader.all(first.sort())).flatMap(({ path, text }) => addressesOf(iniEntries(text), path));
};

function addressesOf(entries: IniEntry[], from: string): ConfiguredAddress[] {
  const values = (section: string, key: string) => entries.filter((entry) => entry.section === section && entry.key === key).map(({ value }) => value);
  const name = values('match', 'Name')[0]?.split(/\s+/)[0] ?? null;
  const card = { interface: name, mac: macOrNull(values('match', 'MACAddress')[0]?.split(/\s+/)[0]), from };
  const gateways = [...values('network', 'Gateway'), ...values('route', 'Gateway')].flatMap((text) => ipOrNull(text) ?? []);
  const addresses = [...values('network', 'Address'), ...values('address', 'Address')];
  const dhcp = values('network', 'DHCP').some((value) => /^(yes|true|1|on|both|ipv4|ipv6|v4|v6)$/.test(value));
  return [...addresses.flatMap((text) => fixed(text, gatewayFor(text, gateways), card)), ...(dhcp ? [byDhcp(card)] : [])];
}

export function gatewayFor(address: string, gateways: string[]): string | null {
  return gateways.find((gateway) => gateway.includes(':') === address.includes(':')) ?? null;
}
