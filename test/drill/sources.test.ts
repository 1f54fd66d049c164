/** Where restore points are: each kind of source on real folders. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DrillSource } from '../../src/drill/policy/types.js';
import { parseLine } from '../../src/drill/sources/command.js';
import { listSources } from '../../src/drill/sources/index.js';
import { parseInstant } from '../../src/drill/sources/instant.js';
import { dumpOf } from '../../src/drill/sources/proxmox.js';
import { parseTemplate } from '../../src/drill/sources/template.js';
import { SnapproofError } from '../../src/errors.js';

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'snapproof-sources-'));
});
afterEach(() => rmSync(place, { recursive: true }));

function write(name: string, text = ''): void {
  mkdirSync(join(place, name, '..'), { recursive: true });
  writeFileSync(join(place, name), text);
}

async function list(...sources: DrillSource[]) {
  const listing = await listSources(sources, async () => ({ candidates: [], notes: [] }), new AbortController().signal);
  const short = listing.candidates.map(({ machine, takenAt, path, unreadable }) => ({ machine, takenAt, path: path.slice(place.length + 1), unreadable }));
  return { ...listing, short };
}

describe('folders by a template', () => {
  it('gives machine and time, and says what was left out', async () => {
    for (const name of ['web/2026-11-20T010203Z', 'web/20261121-010203Z', 'web/latest', 'db-1/2026_11_20-01_02_03Z']) write(`b/${name}/disk.qcow2`);
    const { short, notes } = await list({ kind: 'folders', template: `${place}/b/{machine}/{takenAt}/` });
    expect(short).toEqual([
      { machine: 'db-1', takenAt: '2026-11-20T01:02:03.000Z', path: 'b/db-1/2026_11_20-01_02_03Z', unreadable: null },
      { machine: 'web', takenAt: '2026-11-20T01:02:03.000Z', path: 'b/web/2026-11-20T010203Z', unreadable: null },
      { machine: 'web', takenAt: '2026-11-21T01:02:03.000Z', path: 'b/web/20261121-010203Z', unreadable: null },
    ]);
    expect(notes.join()).toMatch(/Left out because the name does not fit .*web\/latest/);
  });

  it('takes both from one name, and images as well as folders', async () => {
    write('b/my-web-2026-11-20.qcow2');
    const { short } = await list({ kind: 'folders', template: `${place}/b/{machine}-{takenAt}.qcow2` });
    expect(short).toMatchObject([{ machine: 'my-web', path: 'b/my-web-2026-11-20.qcow2' }]);
  });

  it('takes from a manifest what the template leaves open, and each place once', async () => {
    write('b/x1/restore-point.json', JSON.stringify({ machine: 'mail', takenAt: '2026-11-20T01:00:00+01:00' }));
    symlinkSync('x1', join(place, 'b/x2'));
    const { short } = await list({ kind: 'folders', template: `${place}/b/*` });
    expect(short).toEqual([{ machine: 'mail', takenAt: '2026-11-20T00:00:00.000Z', path: 'b/x1', unreadable: null }]);
  });

  it('never takes a disk that is not mounted for a quiet night, and lists the others all the same', async () => {
    write('b/a.qcow2');
    const gone: DrillSource = { kind: 'folders', template: `${place}/gone/{machine}` };
    const { short, problems } = await list(gone, { kind: 'paths', paths: [`${place}/b/a.qcow2`] });
    expect(short).toHaveLength(1);
    expect(problems).toEqual([expect.stringMatching(/could not be listed: there is no folder .*gone.*mount it/)]);
  });

  it('refuses fields that nobody knows', () => {
    expect(() => parseTemplate('/b/{host}')).toThrow(/names \{host\}, which nobody knows/);
    expect(() => parseTemplate('/b/{machine}/{machine}')).toThrow(/twice/);
  });
});

it('libvirt: the domain says which machine it is', async () => {
  write('l/some/2026-11-20/domain.xml', "<domain type='kvm'><name>shop</name><devices/></domain>");
  write('l/some/2026-11-20/disk.raw');
  write('l/other/notes.xml', '<a/>');
  const { short } = await list({ kind: 'libvirt', folder: join(place, 'l') });
  expect(short).toMatchObject([{ machine: 'shop', path: 'l/some/2026-11-20' }]);
  expect(short[0]?.takenAt).not.toBeNull();
});

it('Proxmox: archives are named as unread, extracted ones are taken', async () => {
  write('d/vzdump-qemu-100-2026_11_20-01_00_00.vma.zst');
  write('d/vzdump-qemu-101-2026_11_20-01_00_00.vma');
  write('d/vzdump-qemu-101-2026_11_20-01_00_00/disk-drive-scsi0.raw');
  write('d/vzdump-lxc-102-2026_11_20-01_00_00.tar.zst');
  const { short } = await list({ kind: 'proxmox', folder: join(place, 'd') });
  expect(short.map(({ machine, unreadable }) => [machine, unreadable !== null])).toEqual([
    ['vm-100', true],
    ['vm-101', false],
  ]);
  expect(short[0]?.unreadable).toMatch(/vma\.zst.*not read\. Extract it with "vma extract"/);
});

describe('a command', () => {
  it('prints paths and facts; what is not there is named and not dropped', async () => {
    write('c/a.qcow2');
    const lines = ['"c/a.qcow2"', '', JSON.stringify({ path: 'c/gone', machine: 'x', takenAt: '2026-11-20T01:00:00Z' })];
    const script = `process.stdout.write(${JSON.stringify(`${lines.join('\n')}\n`)})`;
    const { short } = await list({ kind: 'command', argv: [process.execPath, '-e', script], timeoutSeconds: 10, cwd: place });
    expect(short).toMatchObject([
      { machine: 'a', unreadable: null },
      { machine: 'x', takenAt: '2026-11-20T01:00:00.000Z', unreadable: expect.stringMatching(/nothing at/) },
    ]);
  });

  it.each([
    ['process.exit(3)', /exit code 3/],
    ['setInterval(() => {}, 1000)', /had not finished after 1 s/],
    ['console.log("{}")', /line 1 of its output: neither a path nor/],
    ['console.log("no json")', /is no JSON/],
  ])('%s is a source that could not be listed', async (script, message) => {
    const { problems } = await list({ kind: 'command', argv: [process.execPath, '-e', script], timeoutSeconds: 1, cwd: place });
    expect(problems).toEqual([expect.stringMatching(message)]);
  });
});

describe('hostile text', () => {
  it('in names and lines gives a typed result or a SnapproofError', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        expect(parseInstant(text) === null || !Number.isNaN(Date.parse(parseInstant(text) as string))).toBe(true);
        dumpOf(text);
        try {
          parseLine(text, 'here');
        } catch (error) {
          expect(error).toBeInstanceOf(SnapproofError);
        }
      }),
    );
  });

  it('instants that do not exist are none', () => {
    expect(['2026-02-30', '2026-13-01', '20261120-250000', '2026-11-20T01:60', '12345678'].map(parseInstant)).toEqual([null, null, null, null, null]);
    expect(parseInstant('2026-11-20T01:02:03+02:00')).toBe('2026-11-19T23:02:03.000Z');
  });
});
