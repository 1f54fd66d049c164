/** Name servers: BIND (its "Administrator Reference Manual", listen-on), Unbound (unbound.conf(5)), dnsmasq (dnsmasq(8)). */
import { posix } from 'node:path';
import { linesWithIncludes } from '../includes.js';
import { addressOf, atEach, type Daemon, type Offer } from '../offer.js';
import { settingLines } from '../text.js';

export const bind: Daemon = {
  units: /^(named|bind9|named-chroot)$/,
  async offers(reader) {
    const found = await reader.first(['/etc/bind/named.conf', '/etc/named.conf']);
    if (!found) return [];
    const lines = await linesWithIncludes(reader, found.path, bindInclude);
    const text = withoutComments(lines.map(({ line }) => line.replace(/\/\/.*|#.*/, '')).join('\n'));
    const lists = [...text.matchAll(/\blisten-on(?:-v6)?\s*(?:port\s+(\d+)\s*)?\{([^{}]*)\}/g)];
    const port = Number(/[{;\s]port\s+(\d+)\s*;/.exec(text)?.[1] ?? 53);
    if (lists.length === 0) return atEach('dns', port, [null], found.path);
    return lists.flatMap(([, own, list = '']) => atEach('dns', Number(own ?? port), bindAddresses(list), found.path));
  },
};

/** `/* ... *\/`, once from beginning to end. */
function withoutComments(text: string): string {
  const kept: string[] = [];
  for (let at = 0; at >= 0 && at < text.length; ) {
    const start = text.indexOf('/*', at);
    kept.push(text.slice(at, start < 0 ? undefined : start));
    const end = start < 0 ? -1 : text.indexOf('*/', start + 2);
    at = end < 0 ? -1 : end + 2;
  }
  return kept.join(' ');
}

function bindInclude(line: string, path: string): string[] | null {
  const target = /^include\s+"([^"\n]+)"/.exec(line)?.[1];
  return target ? [posix.resolve(posix.dirname(path), target)] : null;
}

/** Negations only take away from what else is named. */
function bindAddresses(list: string): (string | null)[] {
  const words = list.split(/[;\s]+/).filter((word) => word !== '' && word !== 'none' && !word.startsWith('!'));
  return words.map((word) => addressOf(word === 'localhost' ? '127.0.0.1' : word.replace(/\/\d+$/, '')));
}

export const unbound: Daemon = {
  units: /^unbound$/,
  async offers(reader) {
    const path = '/etc/unbound/unbound.conf';
    const lines = await linesWithIncludes(reader, path, (line, file) => {
      const [key, value] = unboundSetting(line);
      return /^include(-toplevel)?$/.test(key) ? [posix.resolve(posix.dirname(file), value)] : null;
    });
    const settings = lines.map(({ line }) => unboundSetting(line));
    const port = Number(settings.find(([key]) => key === 'port')?.[1] ?? 53);
    const interfaces = settings.filter(([key]) => key === 'interface' || key === 'ip-address').map(([, value]) => value);
    if (settings.some(([key, value]) => key === 'interface-automatic' && value === 'yes')) return atEach('dns', port, [null], path);
    const places = interfaces.length > 0 ? interfaces : ['127.0.0.1', '::1'];
    return places.flatMap((place) => {
      const [address = '', own] = place.split('@');
      return atEach('dns', Number(own ?? port), [addressOf(address)], path);
    });
  },
};

/** Of any clause: the keys that matter have a meaning in one only. */
function unboundSetting(line: string): [key: string, value: string] {
  const [, key = '', value = ''] = /^([\w-]+):\s*"?([^"#\s]*)"?/.exec(line) ?? [];
  return [key, value];
}

export const dnsmasq: Daemon = {
  units: /^dnsmasq$/,
  async offers(reader): Promise<Offer[]> {
    const paths = ['/etc/dnsmasq.conf', ...(await reader.glob('/etc/dnsmasq.d/*'))];
    const lines = (await reader.all(paths)).flatMap(({ text }) => settingLines(text));
    const values = (key: string) => lines.flatMap((line) => (line.startsWith(`${key}=`) ? line.slice(key.length + 1).split(',') : []));
    const addresses = values('listen-address').map((text) => addressOf(text));
    return atEach('dns', Number(values('port').at(-1) ?? 53), addresses.length > 0 ? addresses : [null], '/etc/dnsmasq.conf');
  },
};
