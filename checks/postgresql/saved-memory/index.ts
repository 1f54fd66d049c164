/** Says whether the log of a cluster had come as far on the disk as the saved memory knows: of one instant, or not. */
import { defineSavedMemoryCheck, notTested } from '../../../src/engines/saved-memory.js';
import { readLogEnd } from '../log/log-end.js';
import { notPostgres } from '../words.js';
import { findCached } from './cached.js';
import { judgeSavedMemory, type SavedMemoryEvidence } from './judge.js';

export default defineSavedMemoryCheck<SavedMemoryEvidence>({
  id: 'postgresql/saved-memory',
  title: 'The log of the cluster agrees with the saved memory',
  failureTitle: 'The log of the cluster and the saved memory are of different instants: resuming would destroy data',
  description:
    'Looks for pages of the log and copies of the control file anywhere in the saved memory, whatever system ran in it, and holds them against the disk.',
  skipReason: notPostgres,
  async collect(instance, ram, { inspection, labs, signal }) {
    const end = await readLogEnd(labs.files, instance);
    if (!end) throw notTested('the end of its log cannot be told from the headers of its pages');
    const { control, version, timeline, newestPage, fsyncOff } = end;
    const { state, checkpoint, writtenAt, systemId } = control;
    return {
      onDisk: { newestPage, fsyncOff, state, checkpoint, writtenAt },
      cached: await findCached(ram, { version, timeline, systemId }, signal),
      others: inspection.databases.filter(({ engine }) => engine === 'postgresql').length > 1,
    };
  },
  evaluate: judgeSavedMemory,
});
