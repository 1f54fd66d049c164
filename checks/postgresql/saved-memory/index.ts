/** Says whether the log of a cluster had come as far on the disk as the saved memory knows: of one instant, or not. */
import { type CheckContext, defineCheck, instanceOf, type NoOptions } from '../../../src/check.js';
import { NotTestedError } from '../../../src/errors.js';
import type { DatabaseInstance } from '../../../src/types.js';
import { readLogEnd } from '../log/log-end.js';
import { notPostgres } from '../words.js';
import { findCached } from './cached.js';
import { judgeSavedMemory, type SavedMemoryEvidence } from './judge.js';

export default defineCheck<SavedMemoryEvidence, NoOptions>({
  id: 'postgresql/saved-memory',
  title: 'The log of the cluster agrees with the saved memory',
  failureTitle: 'The log of the cluster and the saved memory are of different instants: resuming would destroy data',
  description:
    'Looks for pages of the log and copies of the control file anywhere in the saved memory, whatever system ran in it, and holds them against the disk.',
  stage: 'memory',
  depth: 'static',
  targetKind: 'instance',
  lab: 'none',
  timeoutMs: 30 * 60_000,
  optionsSchema: { type: 'object', additionalProperties: false, properties: {} },
  defaultOptions: {},
  skipReason: notPostgres,
  collect: async (target, context) => collect(instanceOf(target), context),
  evaluate: judgeSavedMemory,
});

async function collect(instance: DatabaseInstance, { inspection, labs, signal }: CheckContext<NoOptions>): Promise<SavedMemoryEvidence> {
  const memory = await labs.memory();
  if (!memory?.ram || !memory.facts.complete) throw notTested('the saved memory cannot be read as a whole');
  const end = await readLogEnd(labs.files, instance);
  if (!end) throw notTested('the end of its log cannot be told from the headers of its pages');
  const { control, version, timeline, newestPage, fsyncOff } = end;
  const { state, checkpoint, writtenAt, systemId } = control;
  return {
    onDisk: { newestPage, fsyncOff, state, checkpoint, writtenAt },
    cached: await findCached(memory.ram, { version, timeline, systemId }, signal),
    others: inspection.databases.filter(({ engine }) => engine === 'postgresql').length > 1,
  };
}

const notTested = (message: string): NotTestedError => new NotTestedError({ code: 'postgresql.saved-memory', message });
