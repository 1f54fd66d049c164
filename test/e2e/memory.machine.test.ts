/** Saved memory of the sample through the main flow: of one instant with its disks, and with disks of another. */
import { link, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHECKS, FINDERS } from '../../checks/index.js';
import { ensureSample, type Sample } from '../../fixtures/sample.js';
import { DEFAULT_POLICY } from '../../src/policy/index.js';
import { verifyRestorePoint } from '../../src/run.js';
import { loadRestorePoints } from '../../src/sources/index.js';
import type { CheckResult } from '../../src/types.js';

let sample: Sample;
let folder: string;

beforeAll(async () => {
  sample = await ensureSample();
  folder = await mkdtemp(join(tmpdir(), 'snapproof-memory-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the checks of memory say, by id. */
async function memoryResults(path: string): Promise<Record<string, CheckResult>> {
  const [restorePoint] = await loadRestorePoints([path]);
  if (!restorePoint) throw new Error(`there is no restore point in ${path}`);
  const artefactFolder = join(folder, 'artefacts');
  const observer = { sink: () => undefined, stage: <T>(_: string, work: () => Promise<T>) => work() };
  const policy = { ...DEFAULT_POLICY, depth: 'static' as const, only: ['memory', 'postgresql/saved-memory'] };
  const record = await verifyRestorePoint({
    restorePoint,
    policy,
    checks: CHECKS,
    finders: FINDERS,
    observer,
    signal: new AbortController().signal,
    artefactFolder,
    drill: null,
  });
  return Object.fromEntries(record.checks.filter(({ stage }) => stage === 'memory').map((result) => [result.id, result]));
}

/** The disks of one restore point of the sample with the memory of another. */
async function pairOf(disks: 'paused' | 'skewed' | 'frozen', memory: 'paused' | 'frozen'): Promise<string> {
  const [ofDisks, ofMemory] = [sample.restorePoints[disks], sample.restorePoints[memory]];
  const path = join(folder, `${disks}-${memory}`);
  await mkdir(path);
  const files = (await readdir(ofDisks)).filter((name) => name.endsWith('.qcow2')).map((name) => join(ofDisks, name));
  const manifestOf = async (of: string) => JSON.parse(await readFile(join(of, 'restore-point.json'), 'utf8'));
  const saved = (await manifestOf(ofMemory)).memory;
  for (const file of [...files, join(ofMemory, saved.path)]) await link(file, join(path, basename(file)));
  await writeFile(join(path, 'restore-point.json'), JSON.stringify({ ...(await manifestOf(ofDisks)), memory: saved }));
  return path;
}

describe('the memory of the sample', () => {
  it('is of one instant with its disks, and tells of no trouble', async () => {
    const results = await memoryResults(sample.restorePoints.paused);
    expect(results['memory/skew']).toMatchObject({ outcome: 'pass', summary: 'memory and 2 disks are of one instant', findings: [], untested: [] });
    expect(results['memory/kernel-log']).toMatchObject({ outcome: 'pass', findings: [], untested: [] });
    expect(results['postgresql/saved-memory']).toMatchObject({ outcome: 'pass', findings: [], untested: [], tested: [{}] });
    expect(results['memory/frozen']).toMatchObject({ outcome: 'pass', findings: [] });
  });

  it('is told as frozen, and its disks are of the same instant', async () => {
    const results = await memoryResults(sample.restorePoints.frozen);
    expect(results['memory/skew']).toMatchObject({ outcome: 'pass', summary: 'memory and 2 disks are of one instant' });
    expect(results['memory/frozen']?.findings.map(({ code, where }) => [code, where.volume, where.level])).toEqual([
      ['memory.frozen', 'disk0/p1', 4],
      ['memory.frozen', 'disk1/p1', 4],
    ]);
  });

  it('is found to be earlier than a disk', async () => {
    const { 'memory/skew': skew } = await memoryResults(await pairOf('skewed', 'paused'));
    expect(skew).toMatchObject({ outcome: 'fail', findings: [{ code: 'memory.skew.disk-later', where: { volume: 'disk1/p1', disk: 'disk1' } }] });
    expect(skew?.tested).toHaveLength(2); // the other disk is of the memory's instant
  });

  it('is found to be later than both disks', async () => {
    const { 'memory/skew': skew, 'postgresql/saved-memory': cluster } = await memoryResults(await pairOf('paused', 'frozen'));
    expect(cluster).toMatchObject({ outcome: 'fail', findings: [{ code: 'postgresql.saved-memory.disk-earlier' }] });
    expect(skew?.outcome).toBe('fail');
    expect(skew?.findings.map(({ code, where }) => [code, where.disk])).toEqual([
      ['memory.skew.disk-earlier', 'disk0'],
      ['memory.skew.disk-earlier', 'disk1'],
    ]);
  });

  it('is doubted to be earlier than a log of PostgreSQL, by what stands of it in memory alone', async () => {
    const { 'postgresql/saved-memory': cluster } = await memoryResults(await pairOf('frozen', 'paused'));
    expect(cluster).toMatchObject({ outcome: 'pass', findings: [{ code: 'postgresql.saved-memory.disk-later' }], untested: [{ holdsData: true }] });
  });
});
