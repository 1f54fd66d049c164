import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FolderFiles } from '../../../src/bytes/folder-files.js';
import type { CheckContext, ExpectationTarget } from '../../../src/check.js';
import type { FileExpectation, Inspection, OperatingSystem, Volume } from '../../../src/types.js';
import check from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'snapproof-expected-'));
const TAKEN = '2026-03-02T02:00:00.000Z';
beforeAll(() => {
  for (const name of ['root/var', 'data/dumps']) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'data/dumps/day.sql'), 'x'.repeat(500));
  utimesSync(join(folder, 'data/dumps/day.sql'), new Date('2026-03-01T03:00:00Z'), new Date('2026-03-01T03:00:00Z'));
  writeFileSync(join(folder, 'root/var/small'), '');
  symlinkSync('small', join(folder, 'root/var/link'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const volume = (id: string) => ({ id, content: { kind: 'filesystem', type: 'ext4', uuid: null, label: null } }) as Volume;
const mount = (mountPoint: string, at: string | null) => ({
  ...{ mountPoint, spec: 'x', type: 'ext4', device: null, subvolume: null, location: at === null ? null : { volume: at, path: '/' } },
});
const system = { root: { volume: 'disk0', path: '/' }, mounts: [mount('/', 'disk0'), mount('/srv', 'disk1'), mount('/gone', null)] } as OperatingSystem;
const whole = {
  systems: [system],
  volumes: [volume('disk0'), volume('disk1')],
  databases: [],
  tables: [],
  unjudged: [],
  findings: [],
  untested: [],
} as Inspection;

async function judge(expectation: FileExpectation, changes: { inspection?: Partial<Inspection>; takenAt?: string | null } = {}) {
  const files = new FolderFiles({ disk0: join(folder, 'root'), disk1: join(folder, 'data') });
  const context = {
    labs: { files },
    inspection: { ...whole, ...changes.inspection },
    restorePoint: { takenAt: changes.takenAt === undefined ? TAKEN : changes.takenAt },
  };
  const target: ExpectationTarget = { kind: 'expectation', id: 'e', expectation, instance: null };
  const evidence = await check.collect(target, context as unknown as CheckContext<Record<string, never>>);
  return check.evaluate(JSON.parse(JSON.stringify(evidence)), {});
}

describe(check.id, () => {
  it('passes a file that is there, where the guest mounts its disk, by links too', async () => {
    const judged = await judge({ file: '/srv/dumps/day.sql', minSize: 500, maxAge: '23h' });
    expect(judged).toMatchObject({ outcome: 'pass', findings: [{ severity: 'info', where: { volume: 'disk1', file: '/dumps/day.sql' } }] });
    expect((await judge({ file: '/var/link' })).outcome).toBe('pass');
    expect((await judge({ file: '/dumps/day.sql', volume: 'disk1' })).outcome).toBe('pass');
    expect((await judge({ file: '/var/../../srv/dumps/day.sql' })).outcome).toBe('pass');
  });

  it.each([
    [{ file: '/srv/dumps/night.sql' }, 'does not exist'],
    [{ file: '/srv/dumps' }, 'no file (directory)'],
    [{ file: '/srv/dumps/day.sql', minSize: 501 }, '500 bytes, expected at least 501'],
    [{ file: '/srv/dumps/day.sql', maxAge: '22h' }, 'more than 22h before the capture'],
    [{ file: '/srv/dumps/day.sql', maxAge: '1379m' }, 'before the capture'],
    [{ file: '/var/small', minSize: 1 }, '0 bytes'],
  ] as [FileExpectation, string][])('fails %j', async (expectation, why) => {
    expect(await judge(expectation)).toMatchObject({ outcome: 'fail', summary: expect.stringContaining(why), advice: expect.stringMatching(/\S/) });
  });

  it.each([
    ['the time of the capture is not known', { file: '/var/small', maxAge: '1h' }, { takenAt: null }, /no age can be told/],
    ['the disk is not in the restore point', { file: '/gone/x' }, {}, /mounts at \/gone is not in this restore point/],
    ['there is no such volume', { file: '/x', volume: 'disk9' }, {}, /no volume disk9/],
    ['two systems could be meant', { file: '/x' }, { inspection: { systems: [system, system] } }, /name it with "volume"/],
    ['no system says where', { file: '/x' }, { inspection: { systems: [] } }, /name it with "volume"/],
    [
      'a volume could not be read',
      { file: '/x' },
      { inspection: { untested: [{ what: 'disk2', why: 'encrypted', holdsData: true }] } },
      /disk2 could not be looked at/,
    ],
  ] as [string, FileExpectation, Parameters<typeof judge>[1], RegExp][])('decides nothing when %s', async (_name, expectation, changes, why) => {
    await expect(judge(expectation, changes)).rejects.toThrow(why);
  });

  it('needs no system where there is one file system', async () => {
    expect((await judge({ file: '/var/small' }, { inspection: { systems: [], volumes: [volume('disk0')] } })).outcome).toBe('pass');
  });
});
