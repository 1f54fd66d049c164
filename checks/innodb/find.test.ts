import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FormatError } from '../../src/errors.js';
import { treeOf } from '../testing/folder-guest.js';
import { parseSettings, type Settings } from './find/settings.js';
import { innodbFinder } from './find.js';
import { parseRedoHead } from './format/redo-head.js';
import { parseFlags, parseSpaceHeader } from './format/space-flags.js';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'snapproof-find-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, content: string | Buffer = 'x'): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

function spaceHeader(space: number, flags = 0x15): Buffer {
  const page = Buffer.alloc(1024);
  page.writeUInt16BE(8, 24);
  page.writeUInt32BE(space, 34);
  page.writeUInt32BE(space, 38);
  page.writeUInt32BE(flags, 54);
  return page;
}

function redo(format: number, creator: string): Buffer {
  const head = Buffer.alloc(1024);
  head.writeUInt32BE(format, 0);
  head.write(creator, 16, 'latin1');
  return head;
}

const found = async (volumes: string[]) => innodbFinder.find(await treeOf(Object.fromEntries(volumes.map((name) => [name, join(root, name)]))));

describe('the InnoDB finder', () => {
  it('finds a data directory anywhere, with what it says of itself', async () => {
    put('v/odd/place/ibdata1', spaceHeader(0));
    put('v/odd/place/ib_logfile0', redo(0x50687973, 'MariaDB 10.11.6'));
    put('v/odd/place/mysql_upgrade_info', '10.11.6-MariaDB');
    put('v/odd/place/shop/orders.ibd', spaceHeader(7));
    put('v/odd/place/shop/old.MYI');
    const [instance, ...more] = await found(['v']);
    expect(more).toEqual([]);
    expect(instance).toMatchObject({ id: 'innodb v:/odd/place', version: '10.11.6-MariaDB', location: { volume: 'v', path: '/odd/place' }, links: [] });
    expect(instance?.facts).toMatchObject({ family: 'mariadb', pageBytes: 16384, logFormat: 'mariadb-10.8', otherEngines: 'MyISAM', kind: 'directory' });
  });

  it('finds the parts that settings and link files place on other disks', async () => {
    put('root/etc/mysql/my.cnf', '[mysqld]\ndatadir = /var/lib/mysql\ninnodb-data-home-dir="/srv/home/"\ninnodb_log_group_home_dir=/log/redo\n');
    put('root/var/lib/mysql/mysql/db.frm');
    put('root/var/lib/mysql/shop/orders.isl', '/big/shop/orders.ibd');
    put('root/srv/home/ibdata1', spaceHeader(0, 0));
    put('logs/redo/ib_logfile0', redo(1, 'MySQL 5.7.44'));
    put('big/shop/orders.ibd', spaceHeader(9, 0));
    const instances = await found(['root', 'logs', 'big']);
    expect(instances.map((instance) => instance.id)).toEqual(['innodb root:/var/lib/mysql']);
    expect(instances[0]?.links).toEqual([
      { what: 'innodb_data_home_dir', target: '/srv/home', location: { volume: 'root', path: '/srv/home' } },
      { what: 'innodb_log_group_home_dir', target: '/log/redo', location: { volume: 'logs', path: '/redo' } },
      { what: 'shop/orders.ibd', target: '/big/shop/orders.ibd', location: { volume: 'big', path: '/shop/orders.ibd' } },
    ]);
    expect(instances[0]?.facts).toMatchObject({ family: 'mysql', logFormat: 'mysql' });
  });

  it('says which part is not in the restore point', async () => {
    put('root/etc/my.cnf', 'innodb_log_group_home_dir=/log/redo\n');
    put('root/data/ibdata1', spaceHeader(0));
    put('root/data/shop/orders.isl', '/big/shop/orders.ibd\n');
    put('root/data/shop/other.ibd', spaceHeader(3));
    const [instance] = await found(['root']);
    expect(instance?.links.map(({ what, location }) => [what, location])).toEqual([
      ['innodb_log_group_home_dir', null],
      ['shop/orders.ibd', null],
    ]);
  });

  it('finds several instances, a log of MySQL 8 in its own folder, and tablespaces without an instance', async () => {
    for (const name of ['one', 'two']) {
      put(`v/${name}/ibdata1`, spaceHeader(0, 0));
      put(`v/${name}/mysql.ibd`, spaceHeader(0xfffffffe, 0x4021));
      put(`v/${name}/#innodb_redo/#ib_redo6`, redo(6, 'MySQL 8.0.36'));
    }
    put('v/lost/shop/orders.ibd', spaceHeader(5));
    const instances = await found(['v']);
    expect(instances.map(({ id, facts }) => [id, facts.kind])).toEqual([
      ['innodb v:/one', 'directory'],
      ['innodb v:/two', 'directory'],
      ['innodb v:/lost/shop', 'tables'],
    ]);
    expect(instances[0]).toMatchObject({ version: '8.0.36', links: [] });
  });

  it('keeps a system tablespace or a log alone', async () => {
    put('v/a/ib_logfile0', redo(0x50687973, 'MariaDB 11.4.2'));
    const instances = await found(['v']);
    expect(instances.map(({ id, version, facts }) => [id, version, facts.kind])).toEqual([['innodb v:/a', '11.4.2', 'part']]);
  });
});

describe('what the finder parses', () => {
  it.each([
    [0x15, { fullCrc32: true, pageBytes: 16384, pageCompressed: false }],
    [0x35, { fullCrc32: true, pageBytes: 16384, pageCompressed: true }],
    [0x14, { fullCrc32: true, pageBytes: 8192 }],
    [0, { fullCrc32: false, pageBytes: 16384, zip: false }],
    [0x21, { fullCrc32: false, pageBytes: 16384 }],
    [0x29, { fullCrc32: false, pageBytes: 8192, logicalBytes: 16384, zip: true }],
    [0x21 | (3 << 6), { fullCrc32: false, pageBytes: 4096 }],
    [0x2021, { encrypted: true }],
  ])('flags 0x%s', (flags, expected) => {
    expect(parseFlags(flags)).toMatchObject(expected);
  });

  it('never throws anything but FormatError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.integer(), (bytes, flags) => {
        const head = Buffer.from(bytes);
        parseRedoHead(head);
        for (const parse of [() => parseSpaceHeader(head), () => parseFlags(flags >>> 0)]) {
          try {
            const result = parse();
            const parsed = 'flags' in result ? result.flags : result;
            expect(parsed.pageBytes).toBeGreaterThanOrEqual(1024);
            expect(parsed.logicalBytes).toBeLessThanOrEqual(65536);
          } catch (error) {
            expect(error).toBeInstanceOf(FormatError);
          }
        }
      }),
    );
  });

  it('settings, whatever stands there', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom('datadir', '=', '\n', '/a/', '"'))), (parts) => {
        const settings: Settings = { datadir: [], innodb_data_home_dir: [], innodb_log_group_home_dir: [], innodb_undo_directory: [] };
        parseSettings(parts.join(''), settings);
        for (const value of settings.datadir) expect(value.startsWith('/')).toBe(true);
      }),
    );
  });
});
