/**
 * Holds the log of a cluster on disk against what of it stands in memory. A server that runs keeps the newest page of its log in its buffers,
 * and writes its control file only when the log up to that checkpoint is on the disk.
 */
import { judgeTold, type Told } from '../../../src/engines/saved-memory.js';
import type { Judgement } from '../../../src/types.js';
import { formatLsn } from '../format/lsn.js';
import type { LogEnd } from '../log/log-end.js';
import type { CachedCluster } from './cached.js';

export interface SavedMemoryEvidence {
  onDisk: Pick<LogEnd, 'newestPage' | 'fsyncOff'> & Pick<LogEnd['control'], 'state' | 'checkpoint' | 'writtenAt'>;
  cached: CachedCluster;
  /** Other clusters are there whose pages of log cannot be told from those of this one. */
  others: boolean;
}

const LOG = { engine: 'postgresql', title: 'The log', name: 'the log of the cluster', where: {} };
/** A checkpoint so far behind the last page is in none of the pages that the server may just have been writing. */
const LARGEST_PAGE_BYTES = 65_536;
/** As much may stand in the buffers of a server and not be written yet, by default at most (`wal_buffers`). */
const IN_BUFFERS_BYTES = 16 * 2 ** 20;

export const judgeSavedMemory = (evidence: SavedMemoryEvidence): Judgement => judgeTold(compare(evidence), LOG);

function compare({ onDisk, cached, others }: SavedMemoryEvidence): Told {
  const end = formatLsn(onDisk.newestPage);
  const { control, newestPage } = cached;
  // What was written before on a disk that was set back since is older than what the disk says.
  if (control && control.checkpoint >= onDisk.newestPage + LARGEST_PAGE_BYTES && control.writtenAt >= onDisk.writtenAt) {
    const how = `the control file in memory names a checkpoint at ${formatLsn(control.checkpoint)}, and the log on the disk ends with the page at ${end}`;
    return { relation: 'earlier', proven: !onDisk.fsyncOff, how };
  }
  if (newestPage === null || others) {
    const how = others ? 'other clusters are there whose log cannot be told from that of this one' : 'no page of its log stands in memory';
    return { relation: 'unknown', proven: false, how };
  }
  const how = `the newest page of the log is at ${end} on the disk, at ${formatLsn(newestPage)} in memory`;
  if (newestPage > onDisk.newestPage + IN_BUFFERS_BYTES) return { relation: 'unknown', proven: false, how: `${how}, which may be left of another cluster` };
  if (newestPage >= onDisk.newestPage) return { relation: 'agrees', proven: true, how };
  if (onDisk.state === 'in production') return { relation: 'later', proven: false, how };
  return { relation: 'unknown', proven: false, how: `${how}; a server that does not run keeps none of it in memory` };
}
