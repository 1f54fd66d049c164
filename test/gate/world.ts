/** A state folder with a ledger, restore points on the disk, and records about them. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { LedgerDocument } from '../../src/documents.js';
import { openLedger } from '../../src/ledger/index.js';
import { loadRestorePoints } from '../../src/sources/index.js';
import type { FileDigest, Verdict, VerificationRecord } from '../../src/types.js';
import { sampleRecord } from '../sample-record.js';

export const NOW = new Date('2026-11-27T12:00:00Z');
let serial = 0;

export interface World {
  folder: string;
  state: string;
  /** Makes a restore point of one small raw disk with random content. */
  point(name: string, options?: { machine?: string; takenAt?: string | null; disks?: number }): Promise<string>;
  append(...documents: LedgerDocument[]): void;
}

/** @param appendedAt when records are put into the ledger */
export async function makeWorld(appendedAt = NOW): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'snapproof-gate-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const state = join(folder, 'state');
  return {
    folder,
    state,
    async point(name, { machine = 'db1', takenAt = '2026-11-27T01:00:00Z', disks = 1 } = {}) {
      const path = join(folder, 'backups', name);
      await mkdir(path, { recursive: true });
      const files = Array.from({ length: disks }, (_, index) => `disk${index}.raw`);
      for (const file of files) await writeFile(join(path, file), randomBytes(4096));
      const manifest = { schema: 'snapproof.restore-point/v1', machine, takenAt, disks: files.map((file) => ({ path: file, format: 'raw' })) };
      await writeFile(join(path, 'restore-point.json'), JSON.stringify(manifest));
      return path;
    },
    append(...documents) {
      const ledger = openLedger(state);
      for (const document of documents) ledger.append(document, { now: appendedAt });
      ledger.close();
    },
  };
}

export interface RecordChanges extends Partial<Pick<VerificationRecord, 'policy' | 'drill' | 'checks' | 'id'>> {
  verdict?: Partial<Verdict>;
  startedAt?: string;
  machine?: string;
  takenAt?: string | null;
}

/** A record about a restore point as it lies there now: passed at depth `recovery`, this morning. */
export async function recordOf(path: string, changes: RecordChanges = {}): Promise<VerificationRecord> {
  const [restorePoint] = await loadRestorePoints([path]);
  if (!restorePoint) throw new Error(`no restore point at ${path}`);
  const files: FileDigest[] = [];
  for (const disk of restorePoint.disks) files.push(await digest('disk', disk.path, 'raw'));
  for (const config of restorePoint.configs) files.push(await digest('config', config, 'json'));
  return recordAbout(files, { machine: restorePoint.machine, takenAt: restorePoint.takenAt, ...changes }, restorePoint.id);
}

export function recordAbout(files: FileDigest[], changes: RecordChanges = {}, restorePointId = 'point'): VerificationRecord {
  const id = changes.id ?? `record-${++serial}`;
  const startedAt = new Date(changes.startedAt ?? '2026-11-27T11:30:00Z');
  const base = sampleRecord(id);
  const { verdict, reasons, consistency, recovery, instances, ways, coverage } = base;
  return sampleRecord(id, {
    startedAt,
    finishedAt: new Date(startedAt.getTime() + 42_000),
    restorePoint: {
      id: restorePointId,
      machine: changes.machine ?? 'db1',
      takenAt: changes.takenAt === undefined ? '2026-11-27T01:00:00.000Z' : changes.takenAt,
    },
    files,
    verdict: { verdict, reasons, consistency, recovery, instances, ways, coverage, ...changes.verdict },
    ...(changes.policy ? { policy: changes.policy } : {}),
    ...(changes.drill ? { drill: changes.drill } : {}),
    ...(changes.checks ? { checks: changes.checks } : {}),
  });
}

async function digest(role: FileDigest['role'], path: string, format: string): Promise<FileDigest> {
  const bytes = await readFile(path);
  return { role, path, format, sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}
