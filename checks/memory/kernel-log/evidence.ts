/** What the log of the kernel in saved memory holds that tells of trouble, as plain data. */
import type { MountedFileSystem } from '../linux/mounts.js';
import type { WaitingTask } from '../linux/tasks.js';
import { classify, type Message } from '../messages.js';
import type { MemorySurvey } from '../survey.js';

/** Of each kind; the last ones tell most. */
const MAX_OF_KIND = 40;
/** The kernel's own messages: programs that write into its log have another facility. */
const KERNEL_FACILITY = 0;

export interface Trouble extends Message {
  /** Of the clock that stamps the log. */
  seconds: number;
  text: string;
}

export interface KernelLogEvidence {
  release: string | null;
  why: string;
  /** Null: the log itself could not be read. */
  log: { layout: 'ring' | 'records' | 'text'; records: number; firstSeconds: number; lastSeconds: number } | null;
  /** The same clock when the memory was saved; null: not known. */
  nowSeconds: number | null;
  troubles: Trouble[];
  /** By kind, with those that are not listed. */
  counts: Partial<Record<Message['kind'], number>>;
  panicCpu: number | null;
  /** Tasks that cannot be woken; null: not known. */
  waiting: WaitingTask[] | null;
  /** Mounted file systems that the log tells of, and whether they take writes no more; null: not known. */
  mounts: { device: string; stopped: boolean }[] | null;
  /** Messages in memory that belong to no log that could be read. */
  loose: string[];
}

const MAX_LOOSE = 20;

export function evidenceOf({ linux, why, texts }: MemorySurvey): KernelLogEvidence {
  const records = linux?.log?.records ?? [];
  const all = records.flatMap(({ seconds, facility, text }): Trouble[] => {
    const message = facility === KERNEL_FACILITY ? classify(text) : null;
    return message ? [{ ...message, seconds, text }] : [];
  });
  const counts: KernelLogEvidence['counts'] = {};
  for (const { kind } of all) counts[kind] = (counts[kind] ?? 0) + 1;
  const subjects = new Set(all.map(({ subject }) => subject));
  return {
    release: linux?.release ?? null,
    why,
    log: linux?.log
      ? { layout: linux.log.layout, records: records.length, firstSeconds: records[0]?.seconds ?? 0, lastSeconds: records.at(-1)?.seconds ?? 0 }
      : null,
    nowSeconds: linux?.logSeconds ?? null,
    troubles: lastOfEach(all),
    counts,
    panicCpu: linux?.panicCpu ?? null,
    waiting: linux?.tasks?.waiting ?? null,
    mounts: linux?.mounts?.filter(({ device }) => subjects.has(device)).map((mount) => ({ device: mount.device, stopped: hasStopped(mount) })) ?? null,
    loose: linux?.log ? [] : texts.slice(0, MAX_LOOSE),
  };
}

function lastOfEach(all: Trouble[]): Trouble[] {
  const left = new Map<string, number>();
  const kept = [...all].reverse().filter(({ kind }) => {
    const count = left.get(kind) ?? 0;
    left.set(kind, count + 1);
    return count < MAX_OF_KIND;
  });
  return kept.reverse();
}

function hasStopped({ readOnly, log }: MountedFileSystem): boolean {
  if (readOnly || log === null || typeof log === 'string') return readOnly;
  return log.kind === 'xfs' ? log.shutDown : log.aborted;
}
