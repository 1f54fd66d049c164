/** Says which file systems stood frozen in saved memory: a machine that is resumed from it waits for a thaw that nobody sends. */
import { NotTestedError } from '../../../src/errors.js';
import { defineMemoryCheck } from '../define.js';
import { surveyMemory } from '../survey.js';
import { evidenceOf, type FrozenEvidence } from './evidence.js';
import { judgeFrozen } from './judge.js';

export default defineMemoryCheck<FrozenEvidence>({
  id: 'memory/frozen',
  title: 'No file system stood frozen when the memory was saved',
  failureTitle: 'A file system was frozen when the memory was saved: a resumed machine hangs until it is thawed',
  description: 'Reads from the list of mounted file systems in the saved memory of a Linux guest whether each was frozen, and how far the freeze had come.',
  async collect(_, context) {
    const survey = await surveyMemory(context);
    if (survey.linux?.mounts) return evidenceOf(survey.linux.mounts, survey.linux.release, context);
    const why = survey.linux ? `Linux ${survey.linux.release} in it does not describe its own structures` : survey.why;
    throw new NotTestedError({ code: 'memory.no-mounts', message: `whether a file system was frozen cannot be told from the saved memory: ${why}` });
  },

  evaluate: judgeFrozen,
});
