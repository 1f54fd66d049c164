/**
 * Holds the log of a cluster on disk against what of it stands in memory. A server that runs keeps the newest page of its log in its buffers,
 * and writes its control file only when the log up to that checkpoint is on the disk.
 */
import type { Finding, Judgement } from '../../../src/types.js';
import { formatLsn } from '../format/lsn.js';
import type { LogEnd } from '../log/log-end.js';
import { finding } from '../words.js';
import type { CachedCluster } from './cached.js';

export interface SavedMemoryEvidence {
  onDisk: Pick<LogEnd, 'newestPage' | 'fsyncOff'> & Pick<LogEnd['control'], 'state' | 'checkpoint' | 'writtenAt'>;
  cached: CachedCluster;
  /** Other clusters are there whose pages of log cannot be told from those of this one. */
  others: boolean;
}

type Told = { relation: 'earlier' | 'later' | 'agrees' | 'unknown'; proven: boolean; how: string };

const WHAT = 'whether the log of the cluster and the saved memory are of one instant';
const ADVICE =
  'Do not resume: the server would go on from a log that is not the one on the disk, and destroy its data without a word. The disks alone may still come back by a cold boot. Look for what makes the backup take memory and disks at different moments.';
/** A checkpoint so far behind the last page is in none of the pages that the server may just have been writing. */
const LARGEST_PAGE_BYTES = 65_536;
/** As much may stand in the buffers of a server and not be written yet, by default at most (`wal_buffers`). */
const IN_BUFFERS_BYTES = 16 * 2 ** 20;

export function judgeSavedMemory(evidence: SavedMemoryEvidence): Judgement {
  const { relation, proven, how } = compare(evidence);
  if (relation === 'unknown') return { outcome: 'pass', summary: `Cannot be told: ${how}.`, findings: [], tested: [], untested: [open(how, false)] };
  const tested = [{ what: WHAT, how }];
  if (relation === 'agrees') return { outcome: 'pass', summary: `The log agrees with the saved memory: ${how}.`, findings: [], tested, untested: [] };
  const summary = `The log on the disk ${proven ? 'is' : 'may be'} ${relation} than the saved memory: ${how}.`;
  const findings: Finding[] = [finding(`saved-memory.disk-${relation}`, proven ? 'critical' : 'warning', summary)];
  if (proven) return { outcome: 'fail', summary, findings, advice: ADVICE, tested, untested: [] };
  return { outcome: 'pass', summary, findings, advice: ADVICE, tested: [], untested: [open(`there is doubt, and no proof: ${how}`, true)] };
}

const open = (why: string, holdsData: boolean) => ({ what: WHAT, why, holdsData });

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
