/** Restore points put together by tests, verified and inspected by the main flow itself; a finder of their own digests every guest file. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { CHECKS, FINDERS } from '../../checks/index.js';
import { MappedSource } from '../../src/bytes/source.js';
import type { EngineFinder, GuestTree } from '../../src/check.js';
import { DEFAULT_POLICY } from '../../src/policy/index.js';
import { inspectRestorePoint, verifyRestorePoint } from '../../src/run.js';
import type { Observer } from '../../src/runner/stages.js';
import { loadRestorePoints } from '../../src/sources/index.js';
import type { CheckResult, Inspection, Policy, SnapshotImage, VerificationRecord } from '../../src/types.js';
import type { MemoryFacts } from '../../src/ways.js';

const silent: Observer = { sink: () => undefined, stage: (_name, work) => work() };

/** SHA-256 by `volume:path` of every regular file, read by mapping as checks read them. */
export type Digests = Map<string, string>;

export async function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'snapproof-e2e-'));
}

export async function run(tool: string, args: string[]): Promise<string> {
  const path = `${process.env.PATH}:/usr/sbin:/sbin`;
  const { stdout } = await promisify(execFile)(tool, args, { env: { ...process.env, PATH: path } }).catch((error) => {
    throw error.code === 'ENOENT' ? new Error(`this test needs ${tool}`) : error;
  });
  return stdout;
}

export interface PointDisk {
  path: string;
  format?: string;
}

/** A folder with the disks (hard links where that is possible) and a manifest. The n-th disk is `disk<n>`. */
export async function makePoint(parent: string, name: string, disks: (PointDisk | string)[], more: object = {}): Promise<string> {
  const folder = join(parent, name);
  await mkdir(folder);
  const members = disks.map((disk) => (typeof disk === 'string' ? { path: disk } : disk));
  for (const { path } of members) {
    const target = join(folder, basename(path));
    await link(path, target).catch(() => copyFile(path, target));
  }
  const manifest = {
    schema: 'snapproof.restore-point/v1',
    machine: name,
    disks: members.map(({ path, format = 'raw' }) => ({ path: basename(path), format })),
    ...more,
  };
  await writeFile(join(folder, 'restore-point.json'), JSON.stringify(manifest));
  return folder;
}

/** A small guest's disk: one ext4 that holds these files. `null` is a folder, `-> target` a link. */
export async function makeGuestDisk(path: string, files: Record<string, string | Buffer | null>, options: string[] = []): Promise<string> {
  const tree = `${path}.tree`;
  for (const [name, content] of Object.entries(files)) {
    const place = join(tree, name);
    await mkdir(content === null ? place : join(place, '..'), { recursive: true });
    if (typeof content === 'string' && content.startsWith('-> ')) await run('ln', ['-s', content.slice(3), place]);
    else if (content !== null) await writeFile(place, content);
  }
  await makeDiskOfFolder(path, tree, options);
  await rm(tree, { recursive: true, force: true });
  return path;
}

export async function makeDiskOfFolder(path: string, folder: string, options: string[] = [], size = '64M'): Promise<string> {
  await run('mke2fs', ['-q', '-t', 'ext4', '-d', folder, ...options, path, size]);
  return path;
}

export async function verify(path: string, changes: Partial<Policy> = {}): Promise<{ record: VerificationRecord; digests: Digests }> {
  const [restorePoint] = await loadRestorePoints([path]);
  if (!restorePoint) throw new Error(`no restore point in ${path}`);
  const digests: Digests = new Map();
  const policy = { ...DEFAULT_POLICY, ...changes };
  const finders = [...FINDERS, digester(digests)];
  const artefactFolder = await mkdtemp(join(tmpdir(), 'snapproof-artefacts-'));
  const request = { restorePoint, policy, checks: CHECKS, finders, observer: silent, signal: new AbortController().signal, artefactFolder, drill: null };
  const record = await verifyRestorePoint(request).finally(() => rm(artefactFolder, { recursive: true, force: true }));
  return { record, digests };
}

export async function inspect(
  path: string,
): Promise<{ images: SnapshotImage[]; inspection: Inspection; memory: MemoryFacts | string | null; digests: Digests }> {
  const [restorePoint] = await loadRestorePoints([path]);
  if (!restorePoint) throw new Error(`no restore point in ${path}`);
  const digests: Digests = new Map();
  const finders = [...FINDERS, digester(digests)];
  const found = await inspectRestorePoint({ restorePoint, policy: DEFAULT_POLICY, finders, observer: silent, signal: new AbortController().signal });
  return { ...found, digests };
}

/** It finds no database: it only looks at the same files through the same mapping. */
function digester(digests: Digests): EngineFinder {
  return {
    engine: 'digests',
    async find(tree: GuestTree) {
      const files = [...tree.entries()].filter((entry) => entry.type === 'file').map((entry) => entry.location);
      for (const [i, map] of (await tree.files.map(files)).entries()) {
        const { volume, path } = files[i] as (typeof files)[0];
        if (!map) continue;
        const source = new MappedSource(map);
        const bytes = await source.read(0, map.sizeBytes).finally(() => source.close());
        digests.set(`${volume}:${path}`, createHash('sha256').update(bytes).digest('hex'));
      }
      return [];
    },
  };
}

export function resultOf(record: VerificationRecord, id: string, target: string): CheckResult | undefined {
  return record.checks.find((check) => check.id === id && check.target === target);
}

/** What the record lists as untested about this, in one sentence each. */
export function untestedAbout(record: VerificationRecord, words: string | RegExp): { text: string; holdsData: boolean }[] {
  return record.coverage.untested
    .map(({ what, why, holdsData }) => ({ text: `${what}: ${why}`, holdsData }))
    .filter(({ text }) => (typeof words === 'string' ? text.includes(words) : words.test(text)));
}
