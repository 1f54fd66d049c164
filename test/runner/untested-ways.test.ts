import { expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../src/policy/index.js';
import { ignoredFiles } from '../../src/runner/ignored-files.js';
import { untestedWays } from '../../src/runner/untested-ways.js';
import type { RestorePoint } from '../../src/types.js';
import { result } from './arbitrary.js';

const MIB = 1024 * 1024;
const pointWith = (changes: Partial<RestorePoint>) => ({ source: {}, memory: null, ...changes }) as RestorePoint;

test('files that were not taken as disks are listed; large ones may hold data', () => {
  const ignored = [
    { name: 'notes.txt', sizeBytes: MIB },
    { name: 'disk.unknown', sizeBytes: MIB + 1 },
  ];
  expect(ignoredFiles(pointWith({ source: { kind: 'folder', ignored } }))).toMatchObject([
    { what: 'the file disk.unknown of the folder', holdsData: true },
    { what: 'the file notes.txt of the folder', holdsData: false },
  ]);
});

test('thousands of files are counted, and what a manifest says there by chance is passed over', () => {
  const ignored = Array.from({ length: 3000 }, (_, i) => ({ name: `f${i}`, sizeBytes: i * 1000 }));
  const items = ignoredFiles(pointWith({ source: { ignored } }));
  expect(items).toHaveLength(51);
  expect(items[50]).toMatchObject({ what: '2950 more files of the folder', holdsData: true });
  for (const odd of [undefined, 'all', [null, 7, { name: 1 }]]) expect(ignoredFiles(pointWith({ source: { ignored: odd } }))).toEqual([]);
});

test('saved memory that nobody asked to resume is said; asked for, it keeps the verdict from passing', () => {
  const memory = { path: '/somewhere/ram', format: 'qemu', snapshot: null };
  const resume = (depth: 'recovery' | 'resume') =>
    untestedWays(pointWith({ memory }), { ...DEFAULT_POLICY, depth }, []).find(({ what }) => /saved memory/.test(what));
  expect(resume('recovery')).toMatchObject({ holdsData: false });
  expect(resume('resume')).toMatchObject({ holdsData: true });
  expect(untestedWays(pointWith({}), DEFAULT_POLICY, [])).toHaveLength(1);
});

test('a way that was tried is not listed as untested, whatever came of it', () => {
  const tried = (outcome: 'pass' | 'fail' | 'error' | 'skip') => result({ id: 'machine/boot', stage: 'life', target: 'boot', outcome });
  const untested = (outcome: 'pass' | 'fail' | 'error' | 'skip') => untestedWays(pointWith({}), { ...DEFAULT_POLICY, depth: 'boot' }, [tried(outcome)]);
  for (const outcome of ['pass', 'fail', 'error'] as const) expect(untested(outcome)).toEqual([]);
  expect(untested('skip')).toMatchObject([{ what: 'a cold boot from the disks', holdsData: true }]);
});

test('all ways that there are do not include memory that was never saved; to resume it does', () => {
  const ways = (depth: 'full' | 'resume') => untestedWays(pointWith({}), { ...DEFAULT_POLICY, depth }, []).map(({ what, holdsData }) => [what, holdsData]);
  expect(ways('full')).toEqual([['a cold boot from the disks', true]]);
  expect(ways('resume')).toContainEqual(['resuming from the saved memory', true]);
});
