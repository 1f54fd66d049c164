/** A context for `collect` over folders of the host, as if each were a guest's volume, and the instances found there. */
import { FolderFiles } from '../../../src/bytes/folder-files.js';
import type { CheckContext, GuestTree } from '../../../src/check.js';
import type { DatabaseInstance, GuestEntry, GuestFiles, Progress } from '../../../src/types.js';
import { innodbFinder } from '../find.js';

export type FolderPass = Pick<CheckContext<unknown>, 'signal' | 'progress' | 'once'> & { labs: { files: GuestFiles } };

export interface FolderContext {
  instances: DatabaseInstance[];
  context: FolderPass;
  progress: Progress[];
}

/** @param folders host folder by volume id; `v` alone for an ordinary data directory. */
export async function folderContext(folders: Record<string, string>): Promise<FolderContext> {
  const files = new FolderFiles(folders);
  const done = new Map<string, Promise<unknown>>();
  const progress: Progress[] = [];
  const context: FolderPass = {
    labs: { files },
    signal: new AbortController().signal,
    progress: (step) => void progress.push(step),
    once: <T>(key: string, work: () => Promise<T>) => {
      const known = done.get(key) ?? work();
      done.set(key, known);
      return known as Promise<T>;
    },
  };
  return { instances: await innodbFinder.find(await treeOf(files, Object.keys(folders))), context, progress };
}

export async function treeOf(files: GuestFiles, volumes: string[]): Promise<GuestTree> {
  const lists: GuestEntry[][] = [];
  for (const volume of volumes) lists.push(await files.list({ volume, path: '/' }, { recursive: true }));
  return { files, entries: () => lists.flat() };
}
