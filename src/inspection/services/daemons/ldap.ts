/** slapd(8): the URLs of its `-h`, which Debian and Red Hat keep beside its settings. */
import { type Daemon, endpointOf, type Offer } from '../offer.js';
import { shellAssignments } from '../text.js';

const PLACES: [path: string, name: string][] = [
  ['/etc/default/slapd', 'SLAPD_SERVICES'],
  ['/etc/sysconfig/slapd', 'SLAPD_URLS'],
  ['/etc/sysconfig/openldap', 'OPENLDAP_URLS'],
];
const USUAL = 'ldap:/// ldapi:///';

export const slapd: Daemon = {
  units: /^(slapd|symas-openldap-servers)$/,
  async offers(reader) {
    const found = await reader.first(PLACES.map(([path]) => path));
    const name = PLACES.find(([path]) => path === found?.path)?.[1] ?? '';
    const urls = shellAssignments(found?.text ?? '').get(name) || USUAL;
    return urls.split(/\s+/).flatMap((url) => offerOf(url, found?.path ?? '/etc/default/slapd'));
  },
};

function offerOf(url: string, from: string): Offer[] {
  const match = /^(ldaps?):\/\/([^/]*)/.exec(url);
  if (!match) return [];
  const protocol = match[1] ?? 'ldap';
  return [{ protocol, ...endpointOf(match[2] ?? '', protocol === 'ldaps' ? 636 : 389), from }];
}
