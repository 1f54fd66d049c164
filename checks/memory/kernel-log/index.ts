/** Reads the kernel's log out of saved memory and says whether the machine was dead or hung when it was saved. */
import { NotTestedError } from '../../../src/errors.js';
import { defineMemoryCheck } from '../define.js';
import { surveyMemory } from '../survey.js';
import { evidenceOf, type KernelLogEvidence } from './evidence.js';
import { judgeKernelLog } from './judge.js';

export default defineMemoryCheck<KernelLogEvidence>({
  id: 'memory/kernel-log',
  title: "The kernel's log in the saved memory tells of no panic, hang or stopped file system that lasted",
  failureTitle: 'The operating system was dead or hung when its memory was saved',
  description:
    "Finds the running Linux kernel in the saved memory without symbol files, reads its log from the kernel's own buffer, and judges what it tells of.",
  async collect(_, context) {
    const evidence = evidenceOf(await surveyMemory(context));
    if (evidence.release !== null || evidence.loose.length > 0) return evidence;
    throw new NotTestedError({ code: 'memory.no-linux', message: `the log of a Linux kernel was not found in the saved memory: ${evidence.why}` });
  },

  evaluate: judgeKernelLog,
});
