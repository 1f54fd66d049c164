/** What DHCP servers gave the guest before: dhclient.leases(5), and the leases that NetworkManager keeps. Services may be bound to these addresses. */
import type { ConfiguredAddress } from '../../../types.js';
import { shellAssignments } from '../text.js';
import { type AddressSource, ipOrNull, prefixOf } from './configured.js';

const PATTERNS = [
  ...['/var/lib/dhcp/dhclient*.leases', '/var/lib/dhclient/*.leases', '/var/lib/dhclient/*.lease', '/var/lib/dhcp3/dhclient*.leases'],
  '/var/lib/NetworkManager/*.lease',
];

export const formerLeases: AddressSource = async (reader) => {
  const paths = (await Promise.all(PATTERNS.map((pattern) => reader.glob(pattern)))).flat();
  return (await reader.all(paths)).flatMap(({ path, text }) => (text.includes('lease {') ? ofDhclient(text, path) : ofNetworkManager(text, path)));
};

/** The last lease of each interface. */
function ofDhclient(text: string, from: string): ConfiguredAddress[] {
  const last = new Map<string, ConfiguredAddress>();
  for (const part of text.split('lease {').slice(1)) {
    const body = part.slice(0, part.indexOf('\n}') < 0 ? undefined : part.indexOf('\n}'));
    const name = /\binterface "([^"\n]{1,64})";/.exec(body)?.[1] ?? null;
    const address = ipOrNull(/\bfixed-address ([^;\n]{1,64});/.exec(body)?.[1]);
    if (address === null) continue;
    const prefix = prefixOf(/\boption subnet-mask ([^;\n]{1,64});/.exec(body)?.[1] ?? null);
    const gateway = ipOrNull(/\boption routers ([^;,\n]{1,64})[;,]/.exec(body)?.[1]);
    last.set(name ?? '', { method: 'lease', address, prefix, gateway, interface: name, mac: null, from });
  }
  return [...last.values()];
}

function ofNetworkManager(text: string, from: string): ConfiguredAddress[] {
  const fields = shellAssignments(text);
  const address = ipOrNull(fields.get('ADDRESS'));
  const name = /-([^-/]+)\.lease$/.exec(from)?.[1] ?? null;
  if (address === null) return [];
  const prefix = prefixOf(fields.get('NETMASK') ?? null);
  return [{ method: 'lease', address, prefix, gateway: ipOrNull(fields.get('ROUTER')?.split(' ')[0]), interface: name, mac: null, from }];
}
