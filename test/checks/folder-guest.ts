/** Finders and checks run over a folder of the host, as if it were the only volume of a guest. For tests beside the checks. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderFiles } from '../../src/bytes/folder-files.js';
import type { Check, CheckContext, CheckTarget, EngineFinder } from '../../src/check.js';
import type { CaptureState, DatabaseInstance, InstanceState, Judgement, Volume } from '../../src/types.js';

export const VOLUME = 'disk0/p1';

export interface Judged {
  instances: DatabaseInstance[];
  /** By check id; checks that do not apply are missing. */
  judgements: Map<string, Judgement>;
  failed: boolean;
  /** Of all findings, each once. */
  codes: string[];
  states: InstanceState[];
  untested: string[];
  /** Sentences of what failed. */
  why: string[];
}

export async function findIn(folder: string, finder: EngineFinder): Promise<DatabaseInstance[]> {
  const files = new FolderFiles({ [VOLUME]: folder });
  const entries = await files.list({ volume: VOLUME, path: '/' }, { recursive: true });
  return finder.find({ files, entries: () => entries });
}

/** Finds and judges all databases of one family in `folder`, and proves that evidence is plain, small JSON. */
export async function judgeFolder(folder: string, finder: EngineFinder, checks: unknown[], state: CaptureState['state'] = 'needs-replay'): Promise<Judged> {
  const instances = await findIn(folder, finder);
  const context = contextOver(folder, instances, state);
  const judgements = new Map<string, Judgement>();
  for (const instance of instances) {
    const target: CheckTarget = { kind: 'instance', id: instance.id, instance };
    for (const check of checks as Check[]) {
      if (check.skipReason(target, context.inspection) !== null) continue;
      const text = JSON.stringify(await check.collect(target, { ...context, options: check.defaultOptions }));
      if (text.length > 500_000) throw new Error(`evidence of ${check.id} has ${text.length} characters`);
      judgements.set(instances.length > 1 ? `${check.id} ${instance.id}` : check.id, check.evaluate(JSON.parse(text), check.defaultOptions));
    }
  }
  return summarise(instances, judgements);
}

function summarise(instances: DatabaseInstance[], judgements: Map<string, Judgement>): Judged {
  const all = [...judgements.values()];
  const failures = all.filter(({ outcome }) => outcome === 'fail');
  return {
    instances,
    judgements,
    failed: failures.length > 0,
    codes: [...new Set(all.flatMap(({ findings }) => findings.map(({ code }) => code)))],
    states: all.map(({ instanceState }) => instanceState ?? 'unknown'),
    untested: all.flatMap(({ untested }) => untested.filter(({ holdsData }) => holdsData).map(({ what, why }) => `${what}: ${why}`)),
    why: failures.map(({ summary }) => summary),
  };
}

export function contextOver(folder: string, databases: DatabaseInstance[], state: CaptureState['state'] = 'needs-replay'): CheckContext<unknown> {
  const shared = new Map<string, Promise<unknown>>();
  const absent = (what: string) => () => {
    throw new Error(`this test has no ${what}`);
  };
  const volume: Volume = {
    id: VOLUME,
    device: '/dev/sda1',
    sizeBytes: 0,
    placement: null,
    partition: null,
    content: { kind: 'filesystem', type: 'ext4', uuid: null, label: null },
    captureState: { state, why: 'stated by the test', facts: {} },
  };
  return {
    restorePoint: {
      id: 'test',
      machine: 'test',
      takenAt: null,
      folder,
      source: {},
      disks: [],
      memory: null,
      hardware: null,
      declaredConsistency: 'unknown',
      configs: [],
    },
    inspection: { tables: [], volumes: [volume], systems: [], databases, unjudged: [], findings: [], untested: [] },
    labs: {
      sandbox: { run: absent('sandbox') },
      engine: { run: absent('engine') },
      exposure: { images: [], captured: absent('exposure'), current: absent('exposure'), overlaySocket: absent('exposure') },
      files: new FolderFiles({ [VOLUME]: folder }),
      appliance: absent('appliance'),
      scratchFolder: () => mkdtemp(join(tmpdir(), 'snapproof-scratch-')),
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
