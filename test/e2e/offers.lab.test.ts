/** What a guest is set up to offer over the network, read from its disks; and what a policy wants of it that a run without a start cannot ask. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inspect, makeGuestDisk, makePoint, temporaryFolder, untestedAbout, verify } from './points.js';

let folder: string;
let point: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  const root = await makeGuestDisk(
    join(folder, 'root.raw'),
    {
      'etc/os-release': 'ID=debian\n',
      'etc/fstab': 'LABEL=root / ext4 defaults 0 1\nLABEL=data /data ext4 defaults 0 2\n',
      'sbin/init': '-> /lib/systemd/systemd',
      'lib/systemd/system/ssh.service': '[Unit]\n',
      'lib/systemd/system/postgresql@.service': '[Unit]\n',
      'etc/systemd/system/multi-user.target.wants/ssh.service': '-> /lib/systemd/system/ssh.service',
      'etc/systemd/system/multi-user.target.wants/postgresql@15-main.service': '-> /lib/systemd/system/postgresql@.service',
      'etc/ssh/sshd_config': 'Include /etc/ssh/sshd_config.d/*.conf\n',
      'etc/ssh/sshd_config.d/port.conf': '-> /data/port.conf',
      'etc/postgresql/15/main/postgresql.conf': "data_directory = '/data/pg'\n",
      'etc/network/interfaces': 'auto eth0\niface eth0 inet static\n  address 10.0.0.5/24\n  gateway 10.0.0.1\n',
    },
    ['-L', 'root'],
  );
  const data = await makeGuestDisk(join(folder, 'data.raw'), { 'port.conf': 'Port 2222\n', 'pg/postgresql.auto.conf': "listen_addresses = '*'\n" }, [
    '-L',
    'data',
  ]);
  point = await makePoint(folder, 'offers', [root, data]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('its settings are found, on whichever disk they lie', async () => {
  const { inspection } = await inspect(point);
  expect(inspection.systems[0]?.network).toEqual({
    services: [
      { name: 'postgresql@15-main', protocol: 'postgresql', port: 5432, address: null, reachable: true, from: '/etc/postgresql/15/main/postgresql.conf' },
      { name: 'ssh', protocol: 'ssh', port: 2222, address: null, reachable: true, from: '/etc/ssh/sshd_config' },
    ],
    addresses: [{ method: 'static', address: '10.0.0.5', prefix: 24, gateway: '10.0.0.1', interface: 'eth0', mac: null, from: '/etc/network/interfaces' }],
  });
});

test('what the policy wants answered is not proven by a run that starts nothing', async () => {
  const { record } = await verify(point, { depth: 'static', services: [{ protocol: 'ssh' }, { protocol: 'ntp', required: false }] });
  expect(record.verdict).toBe('inconclusive');
  expect(untestedAbout(record, 'could not be asked')).toMatchObject([{ text: expect.stringMatching(/^service ssh:/), holdsData: true }]);
  expect(record.inspection?.systems[0]?.network).toBeUndefined();
});
