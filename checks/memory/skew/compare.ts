/**
 * Holds a log on disk against the same log in memory. At one instant the disk holds what the kernel knows to be written, and at most what
 * it is just writing: less means that the disk is of an earlier instant, more that it is of a later one.
 */
import type { BtrfsHead, JournalHead, XfsLogHead } from '../linux/log-heads.js';
import { compareCached } from './compare-cached.js';
import { type Comparison, type Relation, secondsApart, unknown } from './comparison.js';
import type { DiskLogPosition } from './disk-logs.js';
import type { LogPair } from './evidence.js';

export function compareLogs(pair: LogPair, clockSeconds: number | null): Comparison {
  const { disk, mount, ambiguous } = pair;
  if (disk.position === null) return unknown(disk.why);
  if (ambiguous) return unknown('two file systems with the same UUID are there, or one without any');
  if (mount === null) return { relation: 'not-mounted', proven: true, by: '', seconds: null, how: 'it was not mounted when the memory was saved' };
  if (mount === 'unknown') return compareCached(pair, clockSeconds, 'the mounted file systems cannot be listed from memory');
  if (!mount.steady) return unknown('it was just being mounted or unmounted when the memory was saved');
  if (mount.log === null) return unknown('it was mounted without its log');
  return typeof mount.log === 'string' ? compareCached(pair, clockSeconds, mount.log) : compareHeads(disk.position, mount.log, clockSeconds);
}

function compareHeads(disk: DiskLogPosition, head: JournalHead | XfsLogHead | BtrfsHead, clockSeconds: number | null): Comparison {
  if (disk.kind === 'jbd2' && head.kind === 'jbd2') return compareJournals(disk, head, clockSeconds);
  if (disk.kind === 'xfs' && head.kind === 'xfs') return compareXfs(disk, head, clockSeconds);
  if (disk.kind === 'btrfs' && head.kind === 'btrfs') return compareBtrfs(disk, head);
  return unknown('memory and disk name different types for it');
}

function compareJournals(disk: Extract<DiskLogPosition, { kind: 'jbd2' }>, head: JournalHead, clockSeconds: number | null): Comparison {
  if (head.aborted) return unknown('the journal was aborted: its numbers go on without the disk');
  const skipped = disk.empty && head.flushed && ((disk.committed + 1 - head.committed) | 0) === 0;
  const ahead = skipped ? 0 : (disk.committed - head.committed) | 0;
  const how = `transaction ${disk.committed} on the disk, ${head.committed} known as committed in memory`;
  return transactions(ahead, head.committing === disk.committed, how, secondsApart(ahead > 0, disk.seconds, clockSeconds));
}

function compareBtrfs({ generation, logRoot }: Extract<DiskLogPosition, { kind: 'btrfs' }>, head: BtrfsHead): Comparison {
  if (head.aborted) return unknown('the file system had stopped with an error');
  const how = `generation ${generation} on the disk, ${head.committed} in memory`;
  if (generation !== head.committed || head.logRoot === null) return transactions(generation - head.committed, head.committing === generation, how, null);
  const logs = `generation ${generation} in both; log tree at ${logRoot} on the disk, at ${head.logRoot} in memory`;
  const relation = logRoot === head.logRoot ? 'same' : 'different';
  return { relation, proven: true, by: relation === 'same' ? '' : 'less than a transaction', seconds: null, how: logs };
}

/** @param inFlight what the disk has was on its way there when the memory was saved */
function transactions(ahead: number, inFlight: boolean, how: string, seconds: number | null): Comparison {
  if (ahead === 0 || (ahead === 1 && inFlight)) return { relation: 'same', proven: true, by: '', seconds: null, how };
  const by = `${Math.abs(ahead)} transaction${Math.abs(ahead) === 1 ? '' : 's'}`;
  return { relation: ahead > 0 ? 'disk-later' : 'disk-earlier', proven: true, by, seconds, how };
}

function compareXfs(disk: Extract<DiskLogPosition, { kind: 'xfs' }>, head: XfsLogHead, clockSeconds: number | null): Comparison {
  if (head.shutDown) return unknown('the file system had been shut down');
  const place = ({ cycle, block }: { cycle: number; block: number }) => cycle * disk.blocks + block;
  const [last, end, next] = [place(disk.last), place(disk.head), place(head.next)];
  const how = `the last record on the disk begins at ${text(disk.last)}, in memory the log had come to ${text(head.next)}`;
  const apart = (blocks: number, relation: Relation) => ({
    ...{ relation, proven: true, by: `${blocks * 512} bytes of log`, how },
    seconds: secondsApart(relation === 'disk-later', disk.seconds, clockSeconds),
  });
  if (last >= next) return apart(end - next, 'disk-later');
  if (head.written === null) return unknown(`${how}, and what of it was written cannot be told`);
  // Nothing was written since it was mounted: the kernel counts from behind the last record.
  const least = place(head.written);
  const missing = least >= next ? end < next : last < least;
  return missing ? apart(Math.min(least, next) - last, 'disk-earlier') : { relation: 'same', proven: true, by: '', seconds: null, how };
}

const text = ({ cycle, block }: { cycle: number; block: number }) => `${cycle}:${block}`;
