/**
 * The same without the kernel's own structures: by the newest block of the log that stands anywhere in memory. A block can have been
 * evicted from memory, so a disk that is ahead of it is no proof; a block that was committed on top of others proves that those were written.
 */
import { type Comparison, secondsApart, unknown } from './comparison.js';
import type { DiskLogPosition } from './disk-logs.js';
import type { CachedLog, LogPair } from './evidence.js';

/** Log buffers of XFS that may be on their way to the disk at once. */
const XFS_BUFFERS = 8;
const LOG_BLOCK_BYTES = 512;
/** Ticks of the guest's clock are coarse. */
const CLOCK_SECONDS = 2;

export function compareCached({ disk, cached }: LogPair, clockSeconds: number | null, why: string): Comparison {
  const { position } = disk;
  if (position?.kind === 'jbd2' && cached?.kind === 'jbd2') return compareJournals(position, cached, clockSeconds);
  if (position?.kind === 'xfs' && cached?.kind === 'xfs') return compareXfs(position, cached);
  return unknown(why);
}

function compareJournals(
  disk: Extract<DiskLogPosition, { kind: 'jbd2' }>,
  cached: Extract<CachedLog, { kind: 'jbd2' }>,
  clockSeconds: number | null,
): Comparison {
  const ahead = (disk.committed - cached.newest) | 0;
  const how = `transaction ${disk.committed} on the disk, ${cached.newest} the newest whose commit block stands in memory`;
  // What was committed last before a journal was emptied is one of three numbers.
  if (disk.empty && ahead >= -1) return unknown('its journal on the disk is empty');
  if (ahead === 0) return { relation: 'same', proven: true, by: '', seconds: null, how };
  if (ahead === -1) return onItsWay(how);
  const by = `${Math.abs(ahead)} transaction${Math.abs(ahead) === 1 ? '' : 's'}`;
  const seconds = secondsApart(ahead > 0, disk.seconds, clockSeconds ?? cached.newestSeconds);
  // After a roll-back of the disk, memory may hold what was committed on top of it in the past that was given up.
  if (ahead < 0 && disk.seconds !== null && cached.newestSeconds <= disk.seconds) return unknown(`${how}, of another past of this file system`);
  if (ahead < 0) return { relation: 'disk-earlier', proven: true, by, seconds, how };
  const afterClock = clockSeconds !== null && disk.seconds !== null && disk.seconds > clockSeconds + CLOCK_SECONDS;
  return { relation: 'disk-later', proven: afterClock, by, seconds, how };
}

/** Records are told apart by the one before them; where the log has just begun anew, that one stands at its end, and nothing can be said. */
function compareXfs(disk: Extract<DiskLogPosition, { kind: 'xfs' }>, cached: Extract<CachedLog, { kind: 'xfs' }>): Comparison {
  const inFlight = (XFS_BUFFERS * cached.bufferBytes) / LOG_BLOCK_BYTES;
  const how = `the record before the last begins at ${disk.previous} on the disk (turn ${disk.last.cycle}), at ${cached.newest.previous} in memory (turn ${cached.newest.cycle})`;
  if (Math.max(disk.previous, cached.newest.previous) > disk.blocks - inFlight) {
    return unknown('its log had just come to its end and begun anew');
  }
  if (disk.unmounted) {
    return unknown('nothing was written to its log since it was mounted');
  }
  const ahead = disk.last.cycle * disk.blocks + disk.previous - (cached.newest.cycle * disk.blocks + cached.newest.previous);
  const by = `${Math.abs(ahead) * LOG_BLOCK_BYTES} bytes of log`;
  if (ahead > 0) return { relation: 'disk-later', proven: false, by, seconds: null, how };
  if (-ahead > inFlight) return { relation: 'disk-earlier', proven: true, by, seconds: null, how };
  return ahead === 0 ? { relation: 'same', proven: true, by: '', seconds: null, how } : onItsWay(how);
}

/** One instant, or the disk is a little earlier: without the kernel's own state nobody can tell. */
function onItsWay(how: string): Comparison {
  return unknown(`${how}, which may just have been on its way to the disk`);
}
