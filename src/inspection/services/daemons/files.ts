/** File servers: Samba (smb.conf(5)) and vsftpd (vsftpd.conf(5)). */
import { addressOf, atEach, type Daemon } from '../offer.js';
import { iniEntries, isYes, settingLines } from '../text.js';

export const samba: Daemon = {
  units: /^(smbd|smb|samba|samba-ad-dc)$/,
  async offers(reader) {
    const path = '/etc/samba/smb.conf';
    const text = await reader.text(path);
    if (text === null) return [];
    const entries = iniEntries(text).filter(({ section }) => section === 'global');
    const value = (name: string) => entries.findLast(({ key }) => key.toLowerCase().replace(/\s+/g, ' ') === name)?.value;
    const ports = (value('smb ports') ?? '445').split(/[\s,]+/).map(Number);
    const bound = isYes(value('bind interfaces only') ?? 'no') ? (value('interfaces') ?? '').split(/[\s,]+/).filter(Boolean) : [];
    // An interface by its name (`eth0`) is some address of the guest.
    const addresses = bound.map((word) => (word === 'lo' ? '127.0.0.1' : addressOf(word.replace(/\/.*$/, ''))));
    return ports.filter((port) => port !== 139).flatMap((port) => atEach('smb', port, addresses.length > 0 ? addresses : [null], path));
  },
};

export const vsftpd: Daemon = {
  units: /^vsftpd(@.*)?$/,
  async offers(reader) {
    const found = await reader.first(['/etc/vsftpd.conf', '/etc/vsftpd/vsftpd.conf']);
    if (!found) return [];
    const settings = new Map(settingLines(found.text).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
    if (!isYes(settings.get('listen') ?? 'yes') && !isYes(settings.get('listen_ipv6') ?? 'no')) return [];
    return atEach('ftp', Number(settings.get('listen_port') ?? 21), [addressOf(settings.get('listen_address') ?? '')], found.path);
  },
};
