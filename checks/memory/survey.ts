/** All that is read from saved memory, once for all checks: one pass over its pages, then the structures of the kernel that ran in it. */
import type { CheckContext } from '../../src/check.js';
import { FormatError, NotTestedError } from '../../src/errors.js';
import type { SavedMemory } from '../../src/ways.js';
import { type CommitBlock, parseCommitBlock, parseRecordHeader, type RecordHeader } from './cached-logs.js';
import { type GuestClock, readClock, readRunClocks } from './linux/clock.js';
import { findKernel } from './linux/find-kernel.js';
import type { LinuxKernel } from './linux/kernel.js';
import { readLog } from './linux/log.js';
import type { KernelLog } from './linux/log-record.js';
import { type MountedFileSystem, readMounts } from './linux/mounts.js';
import { readTasks, type Tasks } from './linux/tasks.js';
import { VMCOREINFO_START } from './linux/vmcoreinfo.js';
import { looseMessage, PHRASES } from './messages.js';
import { type Scanned, scanPages } from './scan.js';

const PAGE_BYTES = 4096;
const KERNEL_MARK = Buffer.from(VMCOREINFO_START).readUInt32LE(0);
/** `C03B3998` and `FEEDBABE`, as they read from their first byte on. */
const JOURNAL_MARK = 0x98393bc0;
const XFS_RECORD_MARK = 0xbebaedfe;
const MAX_KEPT = 50_000;
const MAX_TEXTS = 200;

/** What the kernel's structures say. Null: cannot be read. */
export interface LinuxState {
  release: string;
  log: KernelLog | null;
  mounts: MountedFileSystem[] | null;
  clock: GuestClock | null;
  /** The clock that stamps the log, as of the last tick; seconds. */
  logSeconds: number | null;
  tasks: Tasks | null;
  /** The processor that is in a panic; null: none, or not known. */
  panicCpu: number | null;
}

export interface MemorySurvey {
  scanned: Scanned;
  linux: LinuxState | null;
  /** Why there is no state of Linux. */
  why: string;
  /** Messages that stand somewhere in memory: of this run or another, of this machine or another. */
  texts: string[];
  commits: CommitBlock[];
  records: RecordHeader[];
}

/** @throws NotTestedError when there is no memory that can be read */
export function surveyMemory(context: CheckContext<unknown>): Promise<MemorySurvey> {
  return context.once('memory/survey', async () => survey(await context.labs.memory(), context));
}

async function survey(memory: SavedMemory | null, context: CheckContext<unknown>): Promise<MemorySurvey> {
  if (!memory) throw notTested('there is no saved memory in this restore point');
  if (!memory.ram) throw notTested(`the saved memory cannot be read: ${memory.facts.why}`);
  if (!memory.facts.complete) throw notTested('the saved memory is incomplete: what it holds is not of one instant');
  const kernels: number[] = [];
  const found: Pick<MemorySurvey, 'texts' | 'commits' | 'records'> = { texts: [], commits: [], records: [] };
  const scanned = await scanPages(memory.ram, planOf(kernels, found), context.signal, context.progress);
  const { kernel, why } = await findKernel(memory.ram, memory.facts.cpus, kernels, context.signal);
  return { scanned, linux: kernel && (await readState(kernel)), why, ...found };
}

function planOf(kernels: number[], found: Pick<MemorySurvey, 'texts' | 'commits' | 'records'>) {
  const keep = <T>(list: T[], item: T | null): void => {
    if (item !== null && list.length < MAX_KEPT) list.push(item);
  };
  const onKernel = (address: number) => keep(kernels, address % PAGE_BYTES === 0 ? address : null);
  const marks = new Map<number, (address: number, bytes: Buffer) => void>([
    [KERNEL_MARK, onKernel],
    [JOURNAL_MARK, (_, bytes) => keep(found.commits, parseCommitBlock(bytes))],
    [XFS_RECORD_MARK, (_, bytes) => keep(found.records, parseRecordHeader(bytes))],
  ]);
  const onPhrase = (_: number, __: number, before: Buffer, text: Buffer): void => {
    const message = found.texts.length < MAX_TEXTS ? looseMessage(before, text) : null;
    if (message !== null && !found.texts.includes(message)) found.texts.push(message);
  };
  return { marks, phrases: PHRASES, onPhrase };
}

async function readState(kernel: LinuxKernel): Promise<LinuxState> {
  const clocks = await readRunClocks(kernel);
  return {
    release: kernel.release,
    log: await readLog(kernel),
    mounts: await orNull(readMounts(kernel)),
    clock: await readClock(kernel),
    logSeconds: clocks.length > 0 ? Math.max(...clocks) : null,
    tasks: await readTasks(kernel),
    panicCpu: await readPanicCpu(kernel),
  };
}

async function readPanicCpu(kernel: LinuxKernel): Promise<number | null> {
  const address = kernel.symbols.get('panic_cpu');
  const cpu = address === undefined ? -1 : ((await kernel.memory.read(address, 4))?.readInt32LE(0) ?? -1);
  return cpu >= 0 && cpu < 65_536 ? cpu : null;
}

/** What a kernel does not show is not known; all other errors go on. */
async function orNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

function notTested(message: string): NotTestedError {
  return new NotTestedError({ code: 'memory.unread', message });
}
