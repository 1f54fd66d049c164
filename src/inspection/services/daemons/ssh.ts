/** sshd_config(5): ports and addresses add up; `Include` is read where it stands. */
import { posix } from 'node:path';
import { linesWithIncludes } from '../includes.js';
import { atEach, type Daemon, endpointOf, type Offer } from '../offer.js';
import type { GuestReader } from '../reader.js';
import { wordsOf } from '../text.js';

const PATH = '/etc/ssh/sshd_config';

export const sshd: Daemon = {
  units: /^(ssh|sshd|openssh|openssh-server)$/,
  offers: async (reader) => ((await reader.exists('/etc/ssh/sshd_not_to_be_run')) ? [] : sshdOffers(reader)),
};

export async function sshdOffers(reader: GuestReader): Promise<Offer[]> {
  const lines = await linesWithIncludes(reader, PATH, (line) => {
    const [keyword = '', ...patterns] = parts(line);
    return keyword === 'include' ? patterns.map((pattern) => posix.resolve('/etc/ssh', pattern)) : null;
  });
  const settings = lines.map(({ line }) => parts(line));
  const values = (wanted: string) => settings.flatMap(([keyword, value]) => (keyword === wanted && value ? [value] : []));
  const ports = values('port').map(Number);
  const all = ports.length > 0 ? ports : [22];
  const addresses = values('listenaddress');
  if (addresses.length === 0) return all.flatMap((port) => atEach('ssh', port, [null], PATH));
  return addresses.flatMap((text) => {
    const { address, port } = endpointOf(text, 0);
    return (port === 0 ? all : [port]).flatMap((one) => atEach('ssh', one, [address], PATH));
  });
}

/** `Keyword value` or `Keyword=value`; keywords in any case. */
function parts(line: string): string[] {
  const [keyword = '', ...values] = wordsOf(line.replace(/^(\w+)\s*=\s*/, '$1 '));
  return [keyword.toLowerCase(), ...values];
}
