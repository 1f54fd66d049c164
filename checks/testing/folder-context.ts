/** A guest that is one folder of the host, for the tests of database families: its tree, and a context for `collect`. */
import { FolderFiles } from '../../src/bytes/folder-files.js';
import type { Check, CheckContext, EngineFinder, GuestTree } from '../../src/check.js';
import type { DatabaseInstance, Inspection, Judgement, RestorePoint } from '../../src/types.js';

const VOLUME = 'disk0/p1';

export async function folderTree(folder: string): Promise<GuestTree> {
  const files = new FolderFiles({ [VOLUME]: folder });
  const entries = await files.list({ volume: VOLUME, path: '/' }, { recursive: true });
  return { files, entries: () => entries };
}

export function folderContext(folder: string, databases: DatabaseInstance[] = []): CheckContext<unknown> {
  const shared = new Map<string, Promise<unknown>>();
  const absent = (what: string) => () => {
    throw new Error(`this test has no ${what}`);
  };
  return {
    restorePoint: restorePoint(folder),
    inspection: inspectionWith(databases),
    labs: {
      sandbox: { run: absent('sandbox') },
      engine: { run: absent('sandbox') },
      exposure: { images: [], captured: absent('exposure'), current: absent('exposure'), overlaySocket: absent('exposure') },
      files: new FolderFiles({ [VOLUME]: folder }),
      appliance: absent('appliance'),
      scratchFolder: absent('scratch folder'),
    },
    options: {},
    signal: new AbortController().signal,
    progress: () => undefined,
    once<T>(key: string, work: () => Promise<T>): Promise<T> {
      const known = shared.get(key) ?? work();
      shared.set(key, known);
      return known as Promise<T>;
    },
  };
}

export interface Judged {
  instance: DatabaseInstance;
  /** By check id. */
  judgements: Record<string, Judgement>;
  /** Codes of all findings, each once. */
  codes: string[];
  failed: boolean;
  evidenceBytes: number;
}

/** Finds the databases of one engine below a folder and runs the checks on each; evidence goes through JSON, as saved evidence does. */
export async function judgeFolder(folder: string, finder: EngineFinder, checks: Check[]): Promise<Judged[]> {
  const instances = await finder.find(await folderTree(folder));
  const context = folderContext(folder, instances);
  const judged: Judged[] = [];
  for (const instance of instances) judged.push(await judgeInstance(instance, context, checks));
  return judged;
}

async function judgeInstance(instance: DatabaseInstance, context: CheckContext<unknown>, checks: Check[]): Promise<Judged> {
  const judgements: Record<string, Judgement> = {};
  let evidenceBytes = 0;
  for (const check of checks) {
    const saved = JSON.stringify(await check.collect({ kind: 'instance', id: instance.id, instance }, context));
    evidenceBytes = Math.max(evidenceBytes, saved.length);
    judgements[check.id] = check.evaluate(JSON.parse(saved), check.defaultOptions);
  }
  const all = Object.values(judgements);
  const codes = [...new Set(all.flatMap(({ findings }) => findings.map(({ code }) => code)))];
  return { instance, judgements, codes, failed: all.some(({ outcome }) => outcome === 'fail'), evidenceBytes };
}

/** The only database below a folder. Throws when there is not exactly one. */
export async function judgeOne(folder: string, finder: EngineFinder, checks: Check[]): Promise<Judged> {
  const all = await judgeFolder(folder, finder, checks);
  if (all.length !== 1 || !all[0])
    throw new Error(`expected one database below ${folder}, found ${all.map(({ instance }) => instance.id).join(', ') || 'none'}`);
  return all[0];
}

function inspectionWith(databases: DatabaseInstance[]): Inspection {
  return { tables: [], volumes: [], systems: [], databases, unjudged: [], findings: [], untested: [] };
}

function restorePoint(folder: string): RestorePoint {
  const base = { id: 'test', machine: 'test', takenAt: null, folder, source: {}, disks: [], memory: null };
  return { ...base, hardware: null, declaredConsistency: 'unknown', configs: [] };
}
