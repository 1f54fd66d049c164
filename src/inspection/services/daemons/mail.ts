/** Mail: Postfix (master(5), postconf(5)), Exim as Debian sets it up (update-exim4.conf(8)), Dovecot (its "Main Configuration"). */
import { posix } from 'node:path';
import { linesWithIncludes } from '../includes.js';
import { addressOf, atEach, type Daemon, type Offer } from '../offer.js';
import { settingLines, shellAssignments, wordsOf } from '../text.js';

const NAMED_PORTS: Record<string, number> = { smtp: 25, submission: 587, smtps: 465, submissions: 465, qmqp: 628 };
const MASTER = '/etc/postfix/master.cf';

export const postfix: Daemon = {
  units: /^postfix(@.*)?$/,
  async offers(reader) {
    const main = (await reader.text('/etc/postfix/main.cf')) ?? '';
    const interfaces = /^inet_interfaces\s*=\s*(.*)$/m.exec(main)?.[1]?.trim() ?? 'all';
    const bound = /^(all|)$/.test(interfaces)
      ? [null]
      : interfaces.split(/[\s,]+/).map((text) => (text === 'loopback-only' || text === '$myhostname' ? '127.0.0.1' : addressOf(text)));
    // A line that begins with a blank goes on with the one before.
    const lines = settingLines(((await reader.text(MASTER)) ?? '').replace(/\n[ \t]+(?!#)/g, ' '));
    return lines.flatMap((line) => masterOffers(line, bound));
  },
};

function masterOffers(line: string, bound: (string | null)[]): Offer[] {
  const [service = '', type, ...rest] = line.split(/\s+/);
  if (type !== 'inet') return [];
  const colon = service.lastIndexOf(':');
  const name = service.slice(colon + 1);
  const port = NAMED_PORTS[name] ?? Number(name);
  const protocol = port === 465 || rest.some((word) => word === 'smtpd_tls_wrappermode=yes') ? 'smtps' : rest[5] === 'smtpd' || port === 25 ? 'smtp' : 'tcp';
  return atEach(protocol, port, colon < 0 ? bound : [addressOf(service.slice(0, colon))], MASTER);
}

export const exim: Daemon = {
  units: /^exim4?(-base)?$/,
  async offers(reader) {
    const path = '/etc/exim4/update-exim4.conf.conf';
    const text = await reader.text(path);
    if (text !== null) {
      const local = (shellAssignments(text).get('dc_local_interfaces') ?? '').split(';').map((word) => word.trim());
      // `127.0.0.1.587` names a port too.
      const places = local.map((word) => /^(\d+\.\d+\.\d+\.\d+)\.(\d+)$/.exec(word)?.slice(1, 3) ?? [word, '25']);
      return places.flatMap(([address = '', port]) => atEach('smtp', Number(port), [addressOf(address)], path));
    }
    const found = await reader.first(['/etc/exim/exim.conf', '/etc/exim4/exim4.conf', '/etc/exim.conf']);
    const ports = /^daemon_smtp_ports\s*=\s*(.*)$/m.exec(found?.text ?? '')?.[1]?.match(/\d+/g) ?? ['25'];
    return found ? ports.flatMap((port) => atEach(port === '465' ? 'smtps' : 'smtp', Number(port), [null], found.path)) : [];
  },
};

const DOVECOT = '/etc/dovecot/dovecot.conf';
const DEFAULT_PORTS: Record<string, number> = { imap: 143, imaps: 993, pop3: 110, pop3s: 995 };

export const dovecot: Daemon = {
  units: /^dovecot$/,
  async offers(reader) {
    const lines = await linesWithIncludes(reader, DOVECOT, (line, path) => {
      const pattern = /^!include(?:_try)?\s+(\S+)/.exec(line)?.[1];
      return pattern ? [posix.resolve(posix.dirname(path), pattern)] : null;
    });
    const settings = new Map(lines.map(({ line }) => dovecotSetting(line)));
    const protocols = dovecotProtocols(lines.map(({ line }) => dovecotSetting(line)));
    const ports = dovecotPorts(lines.map(({ line }) => line));
    const listen = (settings.get('listen') ?? '*, ::').split(/[\s,]+/).filter(Boolean);
    const names = ['imap', 'pop3'].filter((name) => protocols.has(name)).flatMap((name) => [name, ...(settings.get('ssl') === 'no' ? [] : [`${name}s`])]);
    return names.flatMap((name) => atEach(name, ports.get(name) ?? DEFAULT_PORTS[name] ?? 0, listen.map(addressOf), DOVECOT));
  },
};

function dovecotSetting(line: string): [key: string, value: string] {
  const [, key = '', value = ''] = /^(\w+)\s*=\s*(.*)$/.exec(line) ?? [];
  return [key, value];
}

/** `$protocols imap` adds to what was said before. */
function dovecotProtocols(settings: [string, string][]): Set<string> {
  let protocols: string[] = [];
  for (const [key, value] of settings)
    if (key === 'protocols') protocols = [...(value.includes('$protocols') ? protocols.slice(0, 50) : []), ...wordsOf(value)];
  return new Set(protocols);
}

/** `inet_listener imap { port = 0 }`, on one line or several. */
function dovecotPorts(lines: string[]): Map<string, number> {
  const ports = new Map<string, number>();
  let listener = '';
  for (const line of lines) {
    listener = /inet_listener\s+(\w+)/.exec(line)?.[1] ?? listener;
    const port = /\bport\s*=\s*(\d{1,5})\b/.exec(line)?.[1];
    if (port && listener !== '') ports.set(listener, Number(port));
    if (line.includes('}')) listener = '';
  }
  return ports;
}
