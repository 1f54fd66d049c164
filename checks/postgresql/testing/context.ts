/** A small context for `collect`, over folders of the host. */
import { FolderFiles } from '../../../src/bytes/folder-files.js';
import type { DatabaseInstance, Progress } from '../../../src/types.js';
import type { PassContext } from '../static-pass.js';

export interface FolderContext {
  instance: DatabaseInstance;
  context: PassContext;
  progress: Progress[];
}

/** The cluster whose data directory is `folder`; `others` are further volumes by id, `links` what lies on them. */
export function folderContext(folder: string, others: Record<string, string> = {}, links: DatabaseInstance['links'] = []): FolderContext {
  const files = new FolderFiles({ v: folder, ...others });
  const done = new Map<string, Promise<unknown>>();
  const progress: Progress[] = [];
  const instance = { id: 'postgresql v:/', engine: 'postgresql', version: '15', location: { volume: 'v', path: '/' }, links, facts: {} };
  const context: PassContext = {
    labs: { files },
    signal: new AbortController().signal,
    progress: (step) => void progress.push(step),
    once: <T>(key: string, work: () => Promise<T>) => {
      const known = done.get(key) ?? work();
      done.set(key, known);
      return known as Promise<T>;
    },
  };
  return { instance, context, progress };
}
