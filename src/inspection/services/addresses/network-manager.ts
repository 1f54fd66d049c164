/** Connections of NetworkManager: nm-settings-keyfile(5). */
import type { ConfiguredAddress } from '../../../types.js';
import { type IniEntry, iniEntries } from '../text.js';
import { type AddressSource, byDhcp, fixed, ipOrNull, macOrNull } from './configured.js';

export const networkManager: AddressSource = async (reader) => {
  const folder = '/etc/NetworkManager/system-connections';
  const files = await reader.all((await reader.names(folder)).map((name) => `${folder}/${name}`));
  return files.flatMap(({ path, text }) => addressesOf(iniEntries(text), path));
};

function addressesOf(entries: IniEntry[], from: string): ConfiguredAddress[] {
  const value = (section: string, key: string) => entries.findLast((entry) => entry.section === section && entry.key === key)?.value;
  if (value('connection', 'autoconnect') === 'false') return [];
  const mac = value('ethernet', 'mac-address') ?? value('802-3-ethernet', 'mac-address');
  const card = { interface: value('connection', 'interface-name') ?? null, mac: macOrNull(mac), from };
  const methods = ['ipv4', 'ipv6'].map((section) => value(section, 'method'));
  const listed = entries.filter(({ section, key }) => /^ipv[46]$/.test(section) && /^address\d*$|^addresses\d*$/.test(key));
  const addresses = listed.flatMap((entry) => {
    const [address = '', own] = entry.value.split(/[,;]/);
    return fixed(address, ipOrNull(own) ?? ipOrNull(value(entry.section, 'gateway')), card);
  });
  return [...addresses, ...(methods.includes('auto') ? [byDhcp(card)] : [])];
}
