/**
 * The private folder of one run: everything it writes lies there, and everything it starts is recorded there,
 * so that it can be cleaned up: by the run itself, or by a later one when this one was killed.
 */
import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { type CleanUp, removeRunFolder, strayFolders } from './clean-up.js';
import { RUN_FOLDER_VARIABLE, workFolderBase, writeChild, writeOwner, writeStrays } from './run-folder.js';

export interface WorkFolder {
  /** Absolute; mode 0700. Short enough for sockets with names of up to 40 bytes. */
  readonly path: string;
  /** For every child: TMPDIR inside the folder, and the mark by which it is found again. */
  environment(): Record<string, string>;
  /** Notes a child (with its start time), so that a later run ends it if this one is killed. */
  recordChild(pid: number): void;
  /** Notes folders that running children keep outside this one (libguestfs's sockets): call it once an appliance has started. */
  noteStrayFolders(): void;
  /** Ends what still runs, unmounts what is mounted below, removes the folder. May be called twice. */
  close(): Promise<CleanUp>;
}

/**
 * A new folder, owned by this process.
 * @throws UsageError when the place for temporary files cannot be used
 */
export async function openWorkFolder(): Promise<WorkFolder> {
  const path = mkdtempSync(join(workFolderBase(), `run-${process.pid}-`));
  writeOwner(path);
  mkdirSync(join(path, 'tmp'), { mode: 0o700 });
  let closed: Promise<CleanUp> | undefined;
  return {
    path,
    environment: () => ({ TMPDIR: join(path, 'tmp'), [RUN_FOLDER_VARIABLE]: path }),
    recordChild: (pid) => writeChild(path, pid),
    noteStrayFolders: () => writeStrays(path, strayFolders(path)),
    close: () => (closed ??= removeRunFolder(path)),
  };
}
