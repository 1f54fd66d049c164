/** A check context over a folder of the host, as if it were a guest's volume. For tests and benches of this family. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderFiles } from '../../../src/bytes/folder-files.js';
import type { CheckContext, CheckTarget } from '../../../src/check.js';
import type { CheckLabs, Sandbox } from '../../../src/labs/lab.js';
import type { CaptureState, DatabaseInstance, Inspection, RestorePoint, Volume } from '../../../src/types.js';

const VOLUME = 'disk0/p1';

export function instanceAt(path: string): DatabaseInstance {
  return { id: `sqlite ${VOLUME}:${path}`, engine: 'sqlite', version: null, location: { volume: VOLUME, path }, links: [], facts: {} };
}

export function targetAt(path: string): CheckTarget {
  const instance = instanceAt(path);
  return { kind: 'instance', id: instance.id, instance };
}

export interface ContextChoices<Options> {
  options: Options;
  captureState?: CaptureState['state'];
  sandbox?: Sandbox;
  /** Where scratch folders are made; the test removes it. */
  scratchParent?: string;
}

/** @param folder host folder that plays the root of the volume. */
export function contextOver<Options>(folder: string, choices: ContextChoices<Options>): CheckContext<Options> {
  const shared = new Map<string, Promise<unknown>>();
  return {
    restorePoint: restorePoint(folder),
    inspection: inspectionWith(choices.captureState ?? 'needs-replay'),
    labs: labsOver(folder, choices.sandbox, choices.scratchParent ?? tmpdir()),
    options: choices.options,
    signal: new AbortController().signal,
    progress: () => undefined,
    once<T>(key: string, work: () => Promise<T>): Promise<T> {
      const known = shared.get(key) ?? work();
      shared.set(key, known);
      return known as Promise<T>;
    },
  };
}

export function inspectionWith(state: CaptureState['state']): Inspection {
  const volume: Volume = {
    id: VOLUME,
    device: '/dev/sda1',
    sizeBytes: 0,
    placement: null,
    partition: null,
    content: { kind: 'filesystem', type: 'ext4', uuid: null, label: null },
    captureState: { state, why: 'stated by the test', facts: {} },
  };
  return { tables: [], volumes: [volume], systems: [], databases: [], unjudged: [], findings: [], untested: [] };
}

function restorePoint(folder: string): RestorePoint {
  return {
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
  };
}

function labsOver(folder: string, sandbox: Sandbox | undefined, scratchParent: string): CheckLabs {
  const absent = (what: string) => () => {
    throw new Error(`this test has no ${what}`);
  };
  return {
    sandbox: sandbox ?? { run: absent('sandbox') },
    exposure: { images: [], captured: absent('exposure'), current: absent('exposure'), overlaySocket: absent('exposure') },
    files: new FolderFiles({ [VOLUME]: folder }),
    engine: { run: absent('engine') },
    appliance: absent('appliance'),
    scratchFolder: () => mkdtemp(join(scratchParent, 'snapproof-scratch-')),
  };
}
