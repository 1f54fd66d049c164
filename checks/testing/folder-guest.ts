/** Folders of the host as if each were a volume of a guest: its tree, what a finder finds there, and a context for `collect`. For tests and benches. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderFiles } from '../../src/bytes/folder-files.js';
import type { CheckContext, EngineFinder, GuestTree } from '../../src/check.js';
import type { CheckLabs } from '../../src/labs/lab.js';
import type { CaptureState, DatabaseInstance, GuestEntry, Inspection, RestorePoint, Volume } from '../../src/types.js';

/** The volume that a single folder plays. */
export const VOLUME = 'disk0/p1';

/** The folder that plays the only volume, or several by volume id. */
export type HostFolders = string | Record<string, string>;

export interface ContextChoices<Options> {
  options: Options;
  databases?: DatabaseInstance[];
  /** Of every volume. A hot backup leaves `needs-replay`, which is the default. */
  captureState?: CaptureState['state'];
  /** Labs that the test has; without them only files and scratch folders are there. */
  labs?: Partial<CheckLabs>;
}

export interface FolderGuest {
  instances: DatabaseInstance[];
  context: CheckContext<unknown>;
}

/** What a finder finds in the folders, and a context that knows of it. */
export async function openFolders(folders: HostFolders, finder: EngineFinder, captureState?: CaptureState['state']): Promise<FolderGuest> {
  const instances = await finder.find(await treeOf(folders));
  return { instances, context: contextOver(folders, { options: {}, databases: instances, ...(captureState ? { captureState } : {}) }) };
}

export async function treeOf(folders: HostFolders): Promise<GuestTree> {
  const files = filesOf(folders);
  const lists: GuestEntry[][] = [];
  for (const volume of Object.keys(byVolume(folders))) lists.push(await files.list({ volume, path: '/' }, { recursive: true }));
  return { files, entries: () => lists.flat() };
}

export function contextOver<Options>(folders: HostFolders, choices: ContextChoices<Options>): CheckContext<Options> {
  const shared = new Map<string, Promise<unknown>>();
  return {
    restorePoint: restorePoint(Object.values(byVolume(folders))[0] ?? ''),
    inspection: inspectionWith(Object.keys(byVolume(folders)), choices),
    labs: { ...labsOver(folders), ...choices.labs },
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

const byVolume = (folders: HostFolders): Record<string, string> => (typeof folders === 'string' ? { [VOLUME]: folders } : folders);
const filesOf = (folders: HostFolders): FolderFiles => new FolderFiles(byVolume(folders));

function inspectionWith(volumes: string[], { databases = [], captureState = 'needs-replay' }: ContextChoices<unknown>): Inspection {
  const volumeOf = (id: string): Volume => ({
    ...{ id, device: '/dev/sda1', sizeBytes: 0, placement: null, partition: null },
    content: { kind: 'filesystem', type: 'ext4', uuid: null, label: null },
    captureState: { state: captureState, why: 'stated by the test', facts: {} },
  });
  return { tables: [], volumes: volumes.map(volumeOf), systems: [], databases, unjudged: [], findings: [], untested: [] };
}

function restorePoint(folder: string): RestorePoint {
  const base = { id: 'test', machine: 'test', takenAt: null, folder, source: {}, disks: [], memory: null };
  return { ...base, hardware: null, declaredConsistency: 'unknown', configs: [] };
}

function labsOver(folders: HostFolders): CheckLabs {
  const absent = (what: string) => () => {
    throw new Error(`this test has no ${what}`);
  };
  return {
    sandbox: { run: absent('sandbox') },
    engine: { run: absent('engine') },
    exposure: { images: [], captured: absent('exposure'), current: absent('exposure'), overlaySocket: absent('exposure') },
    files: filesOf(folders),
    appliance: absent('appliance'),
    memory: async () => null,
    hardware: absent('hardware'),
    machine: { start: absent('machine'), obstacle: absent('machine') },
    keep: absent('folder for artefacts'),
    scratchFolder: () => mkdtemp(join(tmpdir(), 'snapproof-scratch-')),
  };
}
