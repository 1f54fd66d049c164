/** Proves whether saved memory and disks are of one instant, by logs that both hold. */
import { defineMemoryCheck } from '../define.js';
import { surveyMemory } from '../survey.js';
import { disksWithData, readDiskLogs } from './disk-logs.js';
import { pairLogs, type SkewEvidence } from './evidence.js';
import { judgeSkew } from './judge.js';

export default defineMemoryCheck<SkewEvidence>({
  id: 'memory/skew',
  title: 'The saved memory and the disks are of one instant',
  failureTitle: 'The saved memory and the disks are of different instants: resuming would destroy data',
  description: 'Holds the logs of mounted file systems as the kernel in the saved memory knows them against the same logs on the disks as captured.',
  async collect(_, context) {
    const survey = await surveyMemory(context);
    const { linux, why } = survey;
    const { depth, labs } = context;
    return {
      release: linux?.release ?? null,
      why,
      clockSeconds: linux?.clock?.wallSeconds ?? null,
      pairs: pairLogs(await readDiskLogs(context), survey),
      disks: labs.exposure.images.map(({ name }) => name),
      dataDisks: disksWithData(context.inspection.volumes),
      resumeWanted: depth === 'resume' || depth === 'full',
    };
  },

  evaluate: judgeSkew,
});
