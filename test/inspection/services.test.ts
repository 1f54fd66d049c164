/** Which services a guest will offer, by its own settings. */
import { describe, expect, it } from 'vitest';
import { isMatch } from '../../src/inspection/services/reader.js';
import { offerOf, servicesOf, withUnits } from './guest-folder.js';

const ssh = { 'etc/ssh/sshd_config': '# Port 2222\nPort 22\n' };

describe('what starts', () => {
  it('is what the targets of a boot want, and what that wants', async () => {
    const parts = withUnits(['app.service'], {
      files: { ...ssh, 'usr/lib/systemd/system/sshd.service': '[Unit]\n' },
      links: { 'etc/systemd/system/app.service.wants/sshd.service': '/usr/lib/systemd/system/sshd.service' },
    });
    expect(await offerOf(parts)).toEqual({
      addresses: [],
      services: [{ name: 'sshd', protocol: 'ssh', port: 22, address: null, reachable: true, from: '/etc/ssh/sshd_config' }],
    });
  });

  it('is not what is masked, not enabled, or not there', async () => {
    expect(await servicesOf(withUnits(['ssh.service'], { files: ssh, links: { 'etc/systemd/system/ssh.service': '/dev/null' } }))).toEqual([]);
    expect(await servicesOf({ ...withUnits([]), files: { ...ssh, 'lib/systemd/system/ssh.service': '' } })).toEqual([]);
    const gone = withUnits([], {
      files: { ...ssh, 'lib/systemd/system/other.service': '' },
      links: { 'etc/systemd/system/multi-user.target.wants/ssh.service': '/gone' },
    });
    expect(await servicesOf(gone)).toEqual([]);
  });

  it('is what the default level of System V has', async () => {
    const files = { ...ssh, 'etc/inittab': 'id:3:initdefault:\n', 'etc/init.d/sshd': '' };
    expect(await servicesOf({ files, links: { 'etc/rc.d/rc3.d/S55sshd': '../init.d/sshd', 'sbin/init': 'sysvinit' } })).toEqual(['ssh 22 *']);
    expect(await servicesOf({ files, links: { 'etc/rc.d/rc5.d/S55sshd': '../init.d/sshd', 'etc/rc.d/rc3.d/K55sshd': '../init.d/sshd' } })).toEqual([]);
  });

  it('under systemd is a script only where there is no unit of its name', async () => {
    const links = { 'etc/rc3.d/S01ssh': '../init.d/ssh' };
    expect(await servicesOf(withUnits(['x.service'], { files: ssh, links }))).toEqual(['ssh 22 *']);
    expect(await servicesOf(withUnits(['x.service'], { files: { ...ssh, 'lib/systemd/system/ssh.service': '' }, links }))).toEqual([]);
  });

  it('is what the levels of OpenRC have', async () => {
    expect(await servicesOf({ files: ssh, links: { 'etc/runlevels/default/sshd': '/etc/init.d/sshd', 'sbin/init': '/bin/busybox' } })).toEqual(['ssh 22 *']);
  });

  it('is nothing of a system that is not Linux', async () => expect(await servicesOf({ files: ssh })).toEqual([]));
});

const CASES: [what: string, units: string[], files: Record<string, string>, expected: string[]][] = [
  ['sshd by default', ['ssh.service'], {}, ['ssh 22 *']],
  [
    'sshd at several ports and addresses',
    ['sshd.service'],
    {
      'etc/ssh/sshd_config': 'Include sshd_config.d/*.conf\nport=2022\nListenAddress 10.0.0.5\nListenAddress [::1]:99\n',
      'etc/ssh/sshd_config.d/a.conf': 'Port 22',
    },
    ['ssh 22 10.0.0.5', 'ssh 2022 10.0.0.5', 'ssh 99 ::1'],
  ],
  ['sshd that is not to be run', ['ssh.service'], { 'etc/ssh/sshd_not_to_be_run': '' }, []],
  ['a socket', ['ssh.socket', 'ssh.service', 'cockpit.socket'], {}, []],
  [
    'PostgreSQL on Debian',
    ['postgresql.service'],
    {
      'etc/postgresql/15/main/postgresql.conf': "port = 5433  # changed\nlisten_addresses = '*'\ndata_directory = '/data/pg'\n",
      'data/pg/postgresql.auto.conf': "port = '5434'\n",
      'etc/postgresql/13/old/postgresql.conf': '',
      'etc/postgresql/13/old/start.conf': '# no\nmanual\n',
      'etc/postgresql/14/local/postgresql.conf': 'port=5432',
    },
    ['postgresql 5432 127.0.0.1', 'postgresql 5434 *'],
  ],
  [
    'PostgreSQL on Red Hat',
    ['postgresql-15.service'],
    { 'var/lib/pgsql/15/data/postgresql.conf': "include_dir 'conf.d'\n", 'var/lib/pgsql/15/data/conf.d/x.conf': "listen_addresses '10.1.1.1, localhost'" },
    ['postgresql 5432 10.1.1.1', 'postgresql 5432 127.0.0.1'],
  ],
  ['PostgreSQL without TCP', ['postgresql@15-main.service'], { 'etc/postgresql/15/main/postgresql.conf': "listen_addresses = ''" }, []],
  ['MariaDB by default', ['mariadb.service'], {}, ['mysql 3306 *']],
  [
    'MariaDB on Debian',
    ['mariadb.service'],
    {
      'etc/mysql/my.cnf': '[client-server]\nport = 9999\n!includedir /etc/mysql/mariadb.conf.d/\n',
      'etc/mysql/mariadb.conf.d/50-server.cnf': '[mysqld]\nbind-address            = 127.0.0.1 # only here\n[mariadb-10.11]\nport=3307',
    },
    ['mysql 3307 127.0.0.1'],
  ],
  ['MySQL without TCP', ['mysqld.service'], { 'etc/my.cnf': '[mysqld]\nskip_networking\n' }, []],
  [
    'MySQL with TCP after all',
    ['mysqld.service'],
    { 'etc/my.cnf': '[mysqld]\nskip_networking=OFF\nbind_address=::1,10.0.0.1' },
    ['mysql 3306 ::1', 'mysql 3306 10.0.0.1'],
  ],
  ['Redis', ['redis-server.service'], { 'etc/redis/redis.conf': 'bind 127.0.0.1 -::1\nport 6380' }, ['redis 6380 127.0.0.1', 'redis 6380 ::1']],
  ['Redis with TLS alone', ['redis@a.service'], { 'etc/redis/redis-a.conf': 'bind * -::*\nport 0\ntls-port 6379' }, ['tls 6379 *']],
  [
    'nginx',
    ['nginx.service'],
    {
      'etc/nginx/nginx.conf': 'events {}\nhttp {\n include /etc/nginx/conf.d/*.conf; # all\n include sites-enabled/*;\n}\nstream { server { listen 5000; } }',
      'etc/nginx/conf.d/a.conf':
        "server { listen 80 default_server; listen [::]:80; server_name 'x;y'; location / { return 1; } }\nserver { listen 127.0.0.1:8080; }",
      'etc/nginx/sites-enabled/b': 'server {\n listen 10.0.0.5:443 ssl http2;\n listen unix:/run/x.sock;\n listen 443 quic;\n}\nserver { server_name none; }',
    },
    ['http 80 *', 'http 8080 127.0.0.1', 'https 443 10.0.0.5', 'tcp 5000 *'],
  ],
  [
    'Apache on Debian',
    ['apache2.service'],
    {
      'etc/apache2/apache2.conf': 'IncludeOptional mods-enabled/*.load\nInclude ports.conf\nIncludeOptional sites-enabled/*.conf\n',
      'etc/apache2/ports.conf':
        'Listen 80\n<IfModule ssl_module>\n\tListen 443\n</IfModule>\n<IfModule mod_gnutls.c>\n\tListen 444\n</IfModule>\n<IfDefine X>\nListen 1\n</IfDefine>',
      'etc/apache2/mods-enabled/ssl.load': 'LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so',
      'etc/apache2/sites-enabled/a.conf': 'Listen 10.0.0.1:8443\n<VirtualHost *:8443>\n SSLEngine on\n</VirtualHost>',
    },
    ['http 80 *', 'https 443 *', 'https 8443 10.0.0.1'],
  ],
  [
    'Apache on Red Hat',
    ['httpd.service'],
    { 'etc/httpd/conf/httpd.conf': 'Include conf.d/*.conf', 'etc/httpd/conf.d/ssl.conf': 'Listen 443 https' },
    ['https 443 *'],
  ],
  [
    'Postfix',
    ['postfix@-.service'],
    {
      'etc/postfix/main.cf': 'inet_interfaces = loopback-only\n',
      'etc/postfix/master.cf':
        'smtp      inet  n       -       y       -       -       smtpd\nsubmissions inet n - y - - smtpd\n  -o smtpd_tls_wrappermode=yes\n10.0.0.9:10025 inet n - y - - smtpd\npickup unix n - y 60 1 pickup\n#628 inet n - y - - qmqpd',
    },
    ['smtp 25 127.0.0.1', 'smtps 465 127.0.0.1', 'smtp 10025 10.0.0.9'],
  ],
  [
    'Exim',
    ['exim4.service'],
    { 'etc/exim4/update-exim4.conf.conf': "dc_local_interfaces='127.0.0.1 ; 10.0.0.1.587'" },
    ['smtp 25 127.0.0.1', 'smtp 587 10.0.0.1'],
  ],
  [
    'Dovecot',
    ['dovecot.service'],
    {
      'etc/dovecot/dovecot.conf': '!include_try /usr/share/dovecot/protocols.d/*.protocol\nlisten = 10.0.0.1\n!include conf.d/*.conf',
      'usr/share/dovecot/protocols.d/imapd.protocol': 'protocols = $protocols imap',
      'etc/dovecot/conf.d/10-master.conf': 'service imap-login {\n  inet_listener imap {\n    port = 0\n  }\n  inet_listener imaps {\n    #port = 993\n  }\n}',
    },
    ['imaps 993 10.0.0.1'],
  ],
  ['slapd', ['slapd.service'], { 'etc/default/slapd': 'SLAPD_SERVICES="ldap://127.0.0.1:3890/ ldaps:/// ldapi:///"' }, ['ldap 3890 127.0.0.1', 'ldaps 636 *']],
  ['slapd by default', ['slapd.service'], {}, ['ldap 389 *']],
  [
    'BIND',
    ['named.service'],
    {
      'etc/bind/named.conf': '// listen-on { 9.9.9.9; };\ninclude "/etc/bind/named.conf.options";\n/* listen-on {\n 8.8.8.8; }; */',
      'etc/bind/named.conf.options': 'options {\n  listen-on port 5353 { 127.0.0.1; 10.0.0.1; !10.0.0.2; };\n  listen-on-v6 { none; };\n};',
    },
    ['dns 5353 127.0.0.1', 'dns 5353 10.0.0.1'],
  ],
  [
    'Unbound',
    ['unbound.service'],
    { 'etc/unbound/unbound.conf': 'server:\n  interface: 10.0.0.1@5300\n  interface: ::0\n' },
    ['dns 5300 10.0.0.1', 'dns 53 *'],
  ],
  ['Unbound by default', ['unbound.service'], {}, ['dns 53 127.0.0.1', 'dns 53 ::1']],
  ['dnsmasq', ['dnsmasq.service'], { 'etc/dnsmasq.d/a': 'listen-address=10.0.0.1,127.0.0.1' }, ['dns 53 10.0.0.1', 'dns 53 127.0.0.1']],
  ['dnsmasq without names', ['dnsmasq.service'], { 'etc/dnsmasq.conf': 'port=0' }, []],
  [
    'Samba',
    ['smbd.service'],
    { 'etc/samba/smb.conf': '[global]\n interfaces = lo 10.0.0.1/24\n bind interfaces only = yes\n[x]\nsmb ports = 9' },
    ['smb 445 127.0.0.1', 'smb 445 10.0.0.1'],
  ],
  ['vsftpd', ['vsftpd.service'], { 'etc/vsftpd.conf': 'listen=NO\nlisten_ipv6=YES\nlisten_port=2121' }, ['ftp 2121 *']],
];

describe('where it listens', () => {
  it.each(CASES)('%s', async (_, units, files, expected) => expect((await servicesOf(withUnits(units, { files }))).sort()).toEqual(expected.sort()));

  it('a socket of systemd, with what was changed of it', async () => {
    const files = {
      'lib/systemd/system/ssh.socket': '[Socket]\nListenStream=22\n',
      'etc/systemd/system/ssh.socket.d/port.conf': '[Socket]\nListenStream=\nListenStream=0.0.0.0:2222\nListenStream=/run/x\nListenDatagram=[::1]:9\n',
    };
    const { services } = await offerOf(withUnits(['ssh.socket', 'ssh.service'], { files }));
    expect(services.map(({ name, protocol, port, reachable }) => [name, protocol, port, reachable])).toEqual([
      ['ssh.socket', 'ssh', 2222, true],
      ['ssh.socket', 'udp', 9, false],
    ]);
  });

  it('a socket of sshd that is made of its settings', async () => {
    const files = { 'etc/ssh/sshd_config': 'Port 2200', 'usr/lib/systemd/system-generators/sshd-socket-generator': '', 'lib/systemd/system/ssh.socket': '' };
    expect(await servicesOf(withUnits(['ssh.socket'], { files }))).toEqual(['ssh 2200 *']);
  });
});

describe('patterns of shells', () => {
  it.each([
    ['a.conf', '*.conf', true],
    ['a.conf.bak', '*.conf', false],
    ['abc', 'a?c', true],
    ['abc', '*', true],
    ['', '*', true],
    ['aXbXc', 'a*b*c', true],
    ['abc', 'abcd', false],
  ])('%s is %s: %s', (name, pattern, expected) => expect(isMatch(name, pattern)).toBe(expected));

  it('of stars cost no more than others', () => expect(isMatch('a'.repeat(5000), `${'*a'.repeat(500)}b`)).toBe(false));
});
