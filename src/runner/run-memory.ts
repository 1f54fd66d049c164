/** The saved memory of a restore point, opened in a folder of the run's own. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sandbox } from '../labs/lab.js';
import { openSavedMemory } from '../memory/index.js';
import type { WorkFolder } from '../process/work-folder.js';
import type { ProgressSink, RestorePoint } from '../types.js';
import type { SavedMemory } from '../ways.js';

export interface MemoryContext {
  folder: WorkFolder;
  sandbox: Sandbox;
  limitBytes: number;
  signal: AbortSignal;
  progress: ProgressSink | undefined;
}

/** Null when there is none. What is unpacked goes with the run's folder. */
export async function openMemory({ memory }: RestorePoint, context: MemoryContext): Promise<SavedMemory | null> {
  if (!memory) return null;
  const { sandbox, limitBytes, signal, progress } = context;
  const folder = join(context.folder.path, 'memory');
  await mkdir(folder, { mode: 0o700 });
  const tell = (doneBytes: number, totalBytes: number) => progress?.({ stage: 'memory', what: memory.path, doneBytes, totalBytes });
  return openSavedMemory({ ...memory, folder, sandbox, limitBytes, signal, progress: tell });
}
