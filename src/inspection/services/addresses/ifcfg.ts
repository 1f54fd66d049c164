/** ifcfg files of Red Hat (its "sysconfig.txt") and SUSE (ifcfg(5), routes(5)). */
import { posix } from 'node:path';
import type { ConfiguredAddress } from '../../../types.js';
import { settingLines, shellAssignments } from '../text.js';
import { type AddressSource, byDhcp, fixed, ipOrNull, macOrNull } from './configured.js';

export const ifcfg: AddressSource = async (reader) => {
  const patterns = ['/etc/sysconfig/network-scripts/ifcfg-*', '/etc/sysconfig/network/ifcfg-*'];
  const paths = (await Promise.all(patterns.map((pattern) => reader.glob(pattern)))).flat();
  const common = shellAssignments((await reader.text('/etc/sysconfig/network')) ?? '').get('GATEWAY');
  const routes = settingLines((await reader.text('/etc/sysconfig/network/routes')) ?? '').map((line) => line.split(/\s+/));
  const suse = routes.find(([to]) => to === 'default')?.[1];
  const files = (await reader.all(paths)).filter(({ path }) => posix.basename(path) !== 'ifcfg-lo');
  return files.flatMap(({ path, text }) => addressesOf(shellAssignments(text), path, ipOrNull(common) ?? ipOrNull(suse)));
};

function addressesOf(fields: Map<string, string>, from: string, common: string | null): ConfiguredAddress[] {
  if (/^no$/i.test(fields.get('ONBOOT') ?? 'yes') || /^(manual|off)$/i.test(fields.get('STARTMODE') ?? 'auto')) return [];
  const name = fields.get('DEVICE') ?? posix.basename(from).slice('ifcfg-'.length);
  const card = { interface: name, mac: macOrNull(fields.get('HWADDR') ?? fields.get('LLADDR')), from };
  const gateway = ipOrNull(fields.get('GATEWAY')) ?? common;
  const numbered = [...fields].filter(([key]) => /^IPADDR(_?\w{0,8})?$/.test(key));
  const addresses = numbered.flatMap(([key, address]) => {
    const suffix = key.slice('IPADDR'.length);
    return fixed(address, gateway, card, fields.get(`PREFIX${suffix}`) ?? fields.get(`PREFIXLEN${suffix}`) ?? fields.get(`NETMASK${suffix}`) ?? null);
  });
  const sixes = [fields.get('IPV6ADDR') ?? '', ...(fields.get('IPV6ADDR_SECONDARIES') ?? '').split(/\s+/)];
  const ipv6 = sixes.flatMap((text) => fixed(text, ipOrNull(fields.get('IPV6_DEFAULTGW')?.replace(/%.*/, '')), card));
  const dhcp = /dhcp/i.test(fields.get('BOOTPROTO') ?? '') || /^yes$/i.test(fields.get('DHCPV6C') ?? '');
  return [...addresses, ...ipv6, ...(dhcp ? [byDhcp(card)] : [])];
}
