/** Tasks of a Linux guest that waited without end: what its own watchdog for hung tasks would count. */
import { FormatError } from '../../../src/errors.js';
import { readRunClocks } from './clock.js';
import type { LinuxKernel, StructureView } from './kernel.js';

const UNINTERRUPTIBLE = 0x2n;
/** A signal that kills would wake it, or it does not count as load: the watchdog leaves both out. */
const WAKE_KILL = 0x100n;
const NO_LOAD = 0x400n;
const MAX_THREADS = 50_000;
const MAX_TOLD = 50;
const NANOSECONDS = 1e9;

export interface WaitingTask {
  name: string;
  pid: number;
  /** Since it last ran. */
  seconds: number;
}

export interface Tasks {
  threads: number;
  /** Longest first; the first 50. */
  waiting: WaitingTask[];
}

/** Null when the list cannot be read. */
export async function readTasks(kernel: LinuxKernel): Promise<Tasks | null> {
  const clocks = await readRunClocks(kernel);
  if (clocks.length === 0) return null;
  const now = Math.max(...clocks);
  const waiting: WaitingTask[] = [];
  let threads = 0;
  try {
    for (const leader of await leaders(kernel)) {
      for (const thread of await threadsOf(kernel, leader)) {
        if (++threads > MAX_THREADS) return null;
        const task = await kernel.view('task_struct', thread);
        if (isStuck(task)) waiting.push(described(task, now));
      }
    }
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
  waiting.sort((a, b) => b.seconds - a.seconds);
  return { threads, waiting: waiting.slice(0, MAX_TOLD) };
}

async function leaders(kernel: LinuxKernel): Promise<bigint[]> {
  const first = kernel.symbol('init_task');
  return kernel.list(first + BigInt(kernel.field('task_struct', 'tasks').offset), 'task_struct', 'tasks');
}

async function threadsOf(kernel: LinuxKernel, leader: bigint): Promise<bigint[]> {
  const signal = await kernel.pointer(leader + BigInt(kernel.field('task_struct', 'signal').offset));
  const head = signal + BigInt(kernel.field('signal_struct', 'thread_head').offset);
  return kernel.list(head, 'task_struct', 'thread_node');
}

function isStuck(task: StructureView): boolean {
  const state = task.value('__state', 'state');
  return (state & UNINTERRUPTIBLE) !== 0n && (state & (WAKE_KILL | NO_LOAD)) === 0n;
}

function described(task: StructureView, now: number): WaitingTask {
  const ran = task.number('sched_info.last_arrival') / NANOSECONDS;
  return { name: task.text('comm'), pid: task.number('pid'), seconds: Math.max(0, Math.round((now - ran) * 10) / 10) };
}
