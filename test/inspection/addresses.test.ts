/** At which addresses a guest will be, by its own settings; and settings of every kind of nonsense. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectedAddresses } from '../../src/inspection/services.js';
import { offerOf, withUnits } from './guest-folder.js';

/** Short: `static 10.0.0.5/24 via 10.0.0.1 at eth0 mac`. */
async function addressesOf(files: Record<string, string>): Promise<string[]> {
  const { addresses } = await offerOf({ files });
  return addresses.map(({ method, address, prefix, gateway, interface: card, mac }) =>
    [method, address && `${address}/${prefix}`, gateway && `via ${gateway}`, card && `at ${card}`, mac].filter(Boolean).join(' '),
  );
}

const CASES: [what: string, files: Record<string, string>, expected: string[]][] = [
  [
    'ifupdown',
    {
      'etc/network/interfaces':
        'source /etc/network/interfaces.d/*\nauto lo\niface lo inet loopback\nauto eth0 eth9\niface eth0 inet static\n  address 10.0.0.5\n  netmask 255.255.255.128\n  gateway 10.0.0.1\niface eth0 inet6 static\n  address 2001:db8::5/64\niface eth3 inet static\n  address 10.9.9.9/24\niface eth9 inet dhcp\n',
      'etc/network/interfaces.d/more': 'allow-hotplug eth1\niface eth1 inet static\n address 172.16.0.9/20\n hwaddress ether 52:54:00:AA:BB:CC\n',
    },
    ['static 172.16.0.9/20 at eth1 52:54:00:aa:bb:cc', 'static 10.0.0.5/25 via 10.0.0.1 at eth0', 'static 2001:db8::5/64 at eth0', 'dhcp at eth9'],
  ],
  [
    'systemd-networkd',
    {
      'etc/systemd/network/10-a.network': '[Match]\nName=ens3\n[Network]\nAddress=10.0.0.5/24\nGateway=10.0.0.1\nDHCP=ipv6\n[Address]\nAddress=10.0.0.6/24\n',
      'etc/systemd/network/20-b.network': '[Match]\nMACAddress=52:54:00:00:00:01\n[Network]\nAddress=fd00::5/64\n[Route]\nGateway=fd00::1\n',
    },
    [
      ...['static 10.0.0.5/24 via 10.0.0.1 at ens3', 'static 10.0.0.6/24 via 10.0.0.1 at ens3', 'dhcp at ens3'],
      'static fd00::5/64 via fd00::1 52:54:00:00:00:01',
    ],
  ],
  [
    'netplan',
    {
      'etc/netplan/00-a.yaml': 'network:\n  version: 2\n  ethernets:\n    eth0:\n      dhcp4: true\n      addresses: [10.0.0.5/24]\n',
      'etc/netplan/50-b.yaml':
        'network:\n  ethernets:\n    eth0:\n      dhcp4: false\n      routes:\n        - to: default\n          via: 10.0.0.1\n    id1:\n      match: {macaddress: "52:54:00:00:00:02"}\n      addresses:\n        - "10.1.1.5/24":\n            label: x\n        - fd00::9/64\n      gateway6: fd00::1\n',
    },
    ['static 10.0.0.5/24 via 10.0.0.1 at eth0', 'static 10.1.1.5/24 52:54:00:00:00:02', 'static fd00::9/64 via fd00::1 52:54:00:00:00:02'],
  ],
  [
    'NetworkManager',
    {
      'etc/NetworkManager/system-connections/a.nmconnection':
        '[connection]\ninterface-name=ens18\n[ethernet]\nmac-address=52:54:00:00:00:03\n[ipv4]\nmethod=manual\naddress1=10.0.0.5/24,10.0.0.1\naddress2=10.0.0.6/24\n[ipv6]\nmethod=auto\n',
      'etc/NetworkManager/system-connections/b.nmconnection': '[connection]\nautoconnect=false\n[ipv4]\naddress1=10.2.2.2/24\n',
    },
    ['static 10.0.0.5/24 via 10.0.0.1 at ens18 52:54:00:00:00:03', 'static 10.0.0.6/24 at ens18 52:54:00:00:00:03', 'dhcp at ens18 52:54:00:00:00:03'],
  ],
  [
    'ifcfg of Red Hat',
    {
      'etc/sysconfig/network': 'GATEWAY=10.0.0.254\n',
      'etc/sysconfig/network-scripts/ifcfg-eth0':
        'DEVICE=eth0\nONBOOT=yes\nBOOTPROTO=none\nIPADDR=10.0.0.5\nPREFIX=24\nIPADDR1=10.0.0.6\nNETMASK1=255.255.0.0\nHWADDR=52:54:00:00:00:04\nIPV6ADDR=fd00::5/64\n',
      'etc/sysconfig/network-scripts/ifcfg-eth1': 'DEVICE=eth1\nONBOOT=no\nIPADDR=10.3.3.3\n',
      'etc/sysconfig/network-scripts/ifcfg-lo': 'DEVICE=lo\nIPADDR=127.0.0.1\n',
    },
    [
      ...['static 10.0.0.5/24 via 10.0.0.254 at eth0 52:54:00:00:00:04', 'static 10.0.0.6/16 via 10.0.0.254 at eth0 52:54:00:00:00:04'],
      'static fd00::5/64 at eth0 52:54:00:00:00:04',
    ],
  ],
  [
    'ifcfg of SUSE',
    {
      'etc/sysconfig/network/ifcfg-eth0': "STARTMODE='auto'\nBOOTPROTO='static'\nIPADDR='10.0.0.5/22'\n",
      'etc/sysconfig/network/routes': 'default 10.0.0.1 - -\n',
    },
    ['static 10.0.0.5/22 via 10.0.0.1 at eth0'],
  ],
  [
    'former leases',
    {
      'var/lib/dhcp/dhclient.eth0.leases':
        'lease {\n  interface "eth0";\n  fixed-address 10.0.0.4;\n}\nlease {\n  interface "eth0";\n  fixed-address 10.0.0.5;\n  option subnet-mask 255.255.255.0;\n  option routers 10.0.0.1,10.0.0.2;\n}\n',
      'var/lib/NetworkManager/internal-1234-5678-ens3.lease': '# private\nADDRESS=10.1.0.5\nNETMASK=255.255.0.0\nROUTER=10.1.0.1\n',
    },
    ['lease 10.0.0.5/24 via 10.0.0.1 at eth0', 'lease 10.1.0.5/16 via 10.1.0.1 at ens3'],
  ],
];

describe('addresses', () => {
  it.each(CASES)('by %s', async (_, files, expected) => expect(await addressesOf(files)).toEqual(expected));

  it('are looked for once each', async () => {
    const { addresses } = await offerOf({ files: { ...CASES[0]?.[1], ...CASES[6]?.[1] } });
    expect(expectedAddresses(addresses)).toEqual(['172.16.0.9', '10.0.0.5', '2001:db8::5', '10.1.0.5']);
  });

  it('that are none are none', async () => {
    expect(
      await addressesOf({
        'etc/network/interfaces': 'auto e\niface e inet static\naddress 10.0.0.500/24\ngateway x\niface e inet static\naddress 10.0.0.1/99\n',
      }),
    ).toEqual(['static 10.0.0.1/null at e']);
  });
});

describe('hostile settings', () => {
  const PATHS = [
    ...[
      'etc/ssh/sshd_config',
      'etc/mysql/my.cnf',
      'etc/redis/redis.conf',
      'etc/nginx/nginx.conf',
      'etc/apache2/apache2.conf',
      'etc/samba/smb.conf',
      'etc/inittab',
    ],
    ...['etc/postfix/master.cf', 'etc/postfix/main.cf', 'etc/dovecot/dovecot.conf', 'etc/bind/named.conf', 'etc/unbound/unbound.conf', 'etc/dnsmasq.conf'],
    ...['etc/postgresql/15/main/postgresql.conf', 'etc/exim4/update-exim4.conf.conf', 'etc/default/slapd', 'etc/vsftpd.conf', 'lib/systemd/system/x.socket'],
    ...[
      'etc/network/interfaces',
      'etc/netplan/a.yaml',
      'etc/systemd/network/a.network',
      'etc/NetworkManager/system-connections/a',
      'var/lib/dhcp/dhclient.leases',
    ],
    ...['etc/sysconfig/network/ifcfg-a', 'etc/sysconfig/network/routes'],
  ];
  const UNITS = [
    'ssh',
    'mysql',
    'redis',
    'nginx',
    'apache2',
    'smbd',
    'postfix',
    'dovecot',
    'named',
    'unbound',
    'dnsmasq',
    'postgresql',
    'exim4',
    'slapd',
    'vsftpd',
  ];
  const units = [...UNITS.map((name) => `${name}.service`), 'x.socket'];
  const word = fc.constantFrom(
    ...[
      'Port',
      'port',
      'listen',
      'Listen',
      'include',
      'Include *',
      '!includedir /etc',
      'include "/etc/bind/named.conf"',
      '*',
      '99999',
      '-1',
      '\0',
      '"',
      "'",
      '{',
      '}',
      ';',
    ],
    ...[
      '\n',
      '\n',
      ' ',
      '=',
      '[mysqld]',
      '[Socket]',
      'ListenStream',
      '/*',
      '<IfModule',
      '>',
      '</x>',
      '\\\n',
      '&a [',
      '*a',
      '- ',
      ': ',
      'lease {',
      'iface',
      'auto',
      '10.0.0.1',
      '::',
      '/',
      '\u202e',
      '\ud800',
    ],
  );
  const text = fc.array(fc.oneof({ weight: 5, arbitrary: word }, fc.string({ maxLength: 8 })), { maxLength: 80 }).map((words) => words.join(''));

  it('give a bounded answer and no error', async () => {
    const property = fc.asyncProperty(fc.array(text, { minLength: PATHS.length, maxLength: PATHS.length }), async (texts) => {
      const files = Object.fromEntries(PATHS.map((path, index) => [path, texts[index] ?? '']));
      const { services, addresses } = await offerOf(withUnits(units, { files }));
      expect(services.every(({ port }) => Number.isInteger(port) && port > 0 && port < 65_536)).toBe(true);
      expect(services.length).toBeLessThanOrEqual(200);
      expect(addresses.length).toBeLessThanOrEqual(64);
      expect(() => JSON.stringify({ services, addresses })).not.toThrow();
    });
    await fc.assert(property, { numRuns: 25 });
  }, 60_000);

  it.each([
    [
      'files that include each other',
      (path: string) => `include ${path}\ninclude "/${path}"\nInclude /${path}\n!include /${path}\n!include /${path}\ninclude /${path};\n`.repeat(2000),
    ],
    ['one word without end', () => '/*'.repeat(120_000)],
    ['brackets without end', () => '[{'.repeat(120_000)],
    ['dashes without end', () => '- '.repeat(120_000)],
    ['quotes without end', () => `a "${"'\\".repeat(100_000)}`],
    ['lists without end', () => 'listen-on port 1 '.repeat(15_000)],
    ['leases without end', () => 'lease { option routers interface "'.repeat(7000)],
    ['links without end', () => 'server { listen 1; '.repeat(12_000)],
  ])('of %s end soon', { timeout: 120_000 }, async (_, make) => {
    const files = Object.fromEntries(PATHS.map((path) => [path, make(path)]));
    const before = process.cpuUsage();
    await offerOf(withUnits(units, { files }));
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1e6).toBeLessThan(8);
  });
});
