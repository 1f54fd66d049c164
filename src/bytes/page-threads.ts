/**
 * The threads of the page passes. Starting one costs as much as verifying a hundred megabytes, so those that are free are kept for the
 * next pass (a restore point has many databases), and can be started beforehand while something else is waited for.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { builtModule } from './built-module.js';

const MAX_THREADS = 8;
/** A program that goes on without page passes gets the memory back. */
const IDLE_MS = 30_000;

/** What is to be undone when a free thread is taken. */
const free = new Map<Worker, () => void>();

/** One per processor, within reason. */
export function usualThreads(): number {
  return Math.min(availableParallelism(), MAX_THREADS);
}

/** Starts the threads of a pass to come. Says nothing where they cannot be started: the pass itself will. */
export function prepareThreads(): void {
  try {
    for (let missing = usualThreads() - free.size; missing > 0; missing--) park(start());
  } catch {
    // not built: the pass says so, with what to do
  }
}

export function takeThread(): Worker {
  const [known] = free.keys();
  if (!known) return start();
  forget(known);
  known.ref();
  return known;
}

/** Gives back a thread that has let go of its pass. */
export async function keepThread(thread: Worker): Promise<void> {
  if (free.size < MAX_THREADS) park(thread);
  else await discardThread(thread);
}

export async function discardThread(thread: Worker): Promise<void> {
  await thread.terminate();
}

function start(): Worker {
  const entry = builtModule(new URL('./page-worker.js', import.meta.url));
  return new Worker(entry, { execArgv: [], env: {} });
}

/** A free thread keeps no program from ending. */
function park(thread: Worker): void {
  const gone = () => forget(thread);
  const timer = setTimeout(() => {
    gone();
    void discardThread(thread);
  }, IDLE_MS).unref();
  thread.on('error', gone).on('exit', gone).unref();
  free.set(thread, () => {
    clearTimeout(timer);
    thread.off('error', gone).off('exit', gone);
  });
}

function forget(thread: Worker): void {
  free.get(thread)?.();
  free.delete(thread);
}
