/** What a guest's own files say of its disks: fstab, links across volumes and out of them, several systems, a database without any. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missingTools, TestCluster } from '../../checks/postgresql/testing/cluster.js';
import type { VerificationRecord } from '../../src/types.js';
import { makeDiskOfFolder, makeGuestDisk, makePoint, resultOf, temporaryFolder, untestedAbout, verify } from './points.js';

let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const LOST = '00000000-1111-2222-3333-444444444444';
const FSTAB = `
LABEL=first / ext4 defaults 0 1
LABEL=log /srv/log ext4 defaults 0 2
/dev/disk/by-label/second /other ext4 defaults 0 2
UUID=${LOST} /srv/lost xfs defaults 0 2
LABEL=gone /srv/with\\040space ext4 defaults 0 2
LABEL=usb /mnt/usb ext4 noauto,user 0 0
LABEL=maybe /mnt/maybe ext4 defaults,nofail 0 0
LABEL=iscsi /mnt/iscsi ext4 _netdev 0 0
server:/export /mnt/nfs nfs4 defaults 0 0
//server/share /mnt/smb cifs guest 0 0
me@server:/ /mnt/ssh fuse.sshfs defaults 0 0
/dev/sr0 /media/cdrom udf,iso9660 user 0 0
tmpfs /tmp tmpfs defaults 0 0
UUID=${LOST.replace('4444', '5555')} none swap sw 0 0
/srv/log/folder /bound none bind 0 0
`;
const CLUSTER = 'var/lib/postgresql/15/main';

describe('two systems and a log on a disk of its own', () => {
  let record: VerificationRecord;

  beforeAll(async () => {
    const first = await makeGuestDisk(
      join(folder, 'first.raw'),
      {
        'etc/os-release': 'ID=debian\nPRETTY_NAME="First"\nVERSION_ID="12"\n',
        'etc/hostname': 'first\n',
        'etc/fstab': FSTAB,
        'boot/vmlinuz-6.1.0': 'kernel',
        [`${CLUSTER}/PG_VERSION`]: '15\n',
        [`${CLUSTER}/global/pg_control`]: Buffer.alloc(8192),
        [`${CLUSTER}/base`]: null,
        [`${CLUSTER}/pg_wal`]: '-> /srv/log/pg_wal',
        [`${CLUSTER}/pg_tblspc/1`]: '-> /srv/lost/space',
        [`${CLUSTER}/pg_tblspc/2`]: '-> /srv/log/space',
        [`${CLUSTER}/pg_tblspc/3`]: '-> /../../etc',
        [`${CLUSTER}/pg_tblspc/4`]: '-> ../../../../../../../../../../etc',
        [`${CLUSTER}/pg_tblspc/5`]: '-> /loop/a',
        [`${CLUSTER}/pg_tblspc/6`]: '-> /alias/space',
        'loop/a': '-> b',
        'loop/b': '-> /loop/a',
        alias: '-> /srv/log',
      },
      ['-L', 'first'],
    );
    const log = await makeGuestDisk(join(folder, 'log.raw'), { 'pg_wal/000000010000000000000001': 'x', space: null }, ['-L', 'log']);
    const second = await makeGuestDisk(
      join(folder, 'second.raw'),
      { 'etc/os-release': 'ID=alpine\nNAME="Second"\n', 'etc/fstab': 'LABEL=second / ext4 rw 0 1\n', 'boot/vmlinuz': 'kernel' },
      ['-L', 'second'],
    );
    ({ record } = await verify(await makePoint(folder, 'systems', [first, log, second]), { depth: 'static', skip: ['postgresql'] }));
  });

  test('both are found, each with its own mounts', () => {
    const systems = record.inspection?.systems ?? [];
    expect(systems).toMatchObject([
      { root: { volume: 'disk0', path: '/' }, productName: 'First', hostname: 'first', kernels: ['vmlinuz-6.1.0'] },
      { root: { volume: 'disk2', path: '/' }, productName: 'Second', kernels: ['vmlinuz'] },
    ]);
    const places = Object.fromEntries((systems[0]?.mounts ?? []).map(({ mountPoint, location }) => [mountPoint, location?.volume ?? null]));
    expect(places).toMatchObject({ '/': 'disk0', '/srv/log': 'disk1', '/other': 'disk2', '/srv/lost': null });
  });

  test('a disk that fstab needs and that is not there makes it inconclusive, in that sentence; what it does not need is no alarm', () => {
    expect(record.verdict).toBe('inconclusive');
    expect(untestedAbout(record, "the guest's fstab mounts")).toEqual([
      { text: `/srv/lost of first: the guest's fstab mounts UUID=${LOST} there, and no disk of this restore point holds it`, holdsData: true },
      { text: "/srv/with space of first: the guest's fstab mounts LABEL=gone there, and no disk of this restore point holds it", holdsData: true },
    ]);
    expect(record.reasons).toContain(
      `Not tested: /srv/lost of first, because the guest's fstab mounts UUID=${LOST} there, and no disk of this restore point holds it.`,
    );
  });

  test('links are followed across volumes, and none leads out of the guest or for ever', () => {
    const [cluster, ...others] = record.inspection?.databases ?? [];
    expect(others).toEqual([]);
    expect(cluster?.id).toBe(`postgresql disk0:/${CLUSTER}`);
    const found = Object.fromEntries((cluster?.links ?? []).map(({ what, location }) => [what, location && `${location.volume}:${location.path}`]));
    expect(found).toEqual({
      pg_wal: 'disk1:/pg_wal',
      'pg_tblspc/1': null,
      'pg_tblspc/2': 'disk1:/space',
      'pg_tblspc/3': 'disk0:/etc',
      'pg_tblspc/4': 'disk0:/etc',
      'pg_tblspc/5': null,
      'pg_tblspc/6': 'disk1:/space',
    });
  });
});

describe.skipIf(missingTools() !== '')(`PostgreSQL on a data disk without its system ${missingTools() && `(missing: ${missingTools()})`}`, () => {
  let cluster: TestCluster;
  beforeAll(() => {
    cluster = TestCluster.create({ scale: 1 });
  });
  afterAll(() => cluster?.destroy());

  test("the static checks judge it; recovery is listed as untested where the policy wants the guest's engine", async () => {
    const copy = cluster.capture('captured');
    const disk = await makeDiskOfFolder(join(folder, 'data.raw'), copy, [], '256M');
    rmSync(copy, { recursive: true });
    const { record } = await verify(await makePoint(folder, 'data', [disk]), { engine: 'guest' });
    const id = 'postgresql disk0:/';
    for (const check of ['control-file', 'wal-chain', 'page-checksums']) {
      expect([check, resultOf(record, `postgresql/${check}`, id)?.outcome]).toEqual([check, 'pass']);
    }
    expect(resultOf(record, 'postgresql/recovery', id)?.outcome).toBe('skip');
    expect(untestedAbout(record, 'postgresql/recovery')).toMatchObject([
      { holdsData: false, text: expect.stringMatching(/no operating system.*the policy allows no other engine/) },
    ]);
    expect(record.instances).toMatchObject([{ id, state: 'recoverable', recovery: { seconds: null } }]);
    expect(record.instances[0]?.recovery.bytes).toBeGreaterThan(0);
    expect([record.verdict, record.reasons]).toEqual(['passed', expect.anything()]);
  });

  test('a tablespace that is not in the restore point keeps it from passing', async () => {
    const place = cluster.makeFolder('elsewhere');
    cluster.sql(`CREATE TABLESPACE elsewhere LOCATION '${place}'`);
    cluster.sql('CREATE TABLE far TABLESPACE elsewhere AS SELECT generate_series(1, 1000) AS n');
    cluster.sql('CHECKPOINT');
    const copy = cluster.capture('with-space');
    execFileSync('sync');
    const disk = await makeDiskOfFolder(join(folder, 'space.raw'), copy, [], '256M');
    const { record } = await verify(await makePoint(folder, 'space', [disk]), { depth: 'static' });
    expect(record.verdict).not.toBe('passed');
    expect(record.reasons.join('\n')).toMatch(/tablespace/);
    expect(record.inspection?.databases[0]?.links).toMatchObject([{ what: expect.stringMatching(/^pg_tblspc\/\d+$/), target: place, location: null }]);
  });
});
