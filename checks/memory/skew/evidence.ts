/** The log of each file system on disk beside the same log in memory, as plain data. */
import { isOfJournal } from '../cached-logs.js';
import type { MountedFileSystem } from '../linux/mounts.js';
import type { MemorySurvey } from '../survey.js';
import type { DiskLog } from './disk-logs.js';

/** The newest block of a log that stands in memory, wherever it stands. */
export type CachedLog =
  | { kind: 'jbd2'; newest: number; newestSeconds: number; blocks: number }
  | { kind: 'xfs'; newest: { cycle: number; previous: number }; bufferBytes: number; blocks: number };

export interface LogPair {
  disk: DiskLog;
  /** `unknown`: the mounted file systems could not be listed. Null: it was not mounted. */
  mount: MountedFileSystem | null | 'unknown';
  cached: CachedLog | null;
  /** Another volume or mount has the same UUID: nothing can be told apart. */
  ambiguous: boolean;
}

export interface SkewEvidence {
  release: string | null;
  why: string;
  /** The guest's wall clock when the memory was saved; null: not known. */
  clockSeconds: number | null;
  pairs: LogPair[];
  /** All disks of the restore point, and those of them on which anything lies that could hold data. */
  disks: string[];
  dataDisks: string[];
  /** The policy asks for resuming from memory. */
  resumeWanted: boolean;
}

export function pairLogs(disks: DiskLog[], { linux, commits, records }: Pick<MemorySurvey, 'linux' | 'commits' | 'records'>): LogPair[] {
  return disks.map((disk) => {
    const same = linux?.mounts?.filter(({ uuid }) => uuid !== null && uuid === disk.uuid) ?? [];
    const twins = disks.filter(({ uuid }) => uuid !== null && uuid === disk.uuid);
    return {
      disk,
      mount: linux?.mounts ? (same[0] ?? null) : 'unknown',
      cached: cachedLog(disk, { commits, records }),
      ambiguous: disk.uuid === null || same.length > 1 || twins.length > 1,
    };
  });
}

function cachedLog({ position, uuid }: DiskLog, { commits, records }: Pick<MemorySurvey, 'commits' | 'records'>): CachedLog | null {
  if (position?.kind === 'jbd2') return cachedJournal(position, commits);
  if (position?.kind !== 'xfs' || uuid === null) return null;
  // Zero is no cycle: mounting fills unused parts of the log with it.
  const own = records.filter((record) => record.uuid === uuid && record.previous < position.blocks && record.cycle > 0);
  const newest = own.reduce<(typeof own)[0] | null>((best, record) => (best === null || isLater(record, best) ? record : best), null);
  const bufferBytes = Math.max(0, ...own.map((record) => record.bufferBytes));
  return newest && { kind: 'xfs', newest: { cycle: newest.cycle, previous: newest.previous }, bufferBytes, blocks: own.length };
}

/** Without checksums no block can be told from that of another journal. */
function cachedJournal(position: Extract<DiskLog['position'], { kind: 'jbd2' }>, commits: MemorySurvey['commits']): CachedLog | null {
  const { checksums, journalUuid, blockBytes } = position;
  if (!checksums || journalUuid === null) return null;
  let newest: (typeof commits)[0] | null = null;
  let blocks = 0;
  for (const commit of commits) {
    if (!isOfJournal(commit, journalUuid, blockBytes)) continue;
    blocks++;
    if (newest === null || ((commit.sequence - newest.sequence) | 0) > 0) newest = commit;
  }
  return newest && { kind: 'jbd2', newest: newest.sequence, newestSeconds: newest.seconds, blocks };
}

function isLater(a: { cycle: number; previous: number }, b: { cycle: number; previous: number }): boolean {
  return a.cycle > b.cycle || (a.cycle === b.cycle && a.previous > b.previous);
}
