import { type CheckTarget, defineCheck } from '../../../src/check.js';
import { bringBack, DEFAULT_OPTIONS, OPTIONS_SCHEMA, type WayOptions } from '../collect.js';
import { evaluateLife } from '../evaluate.js';
import type { LifeEvidence } from '../evidence.js';

export default defineCheck<LifeEvidence, WayOptions>({
  id: 'machine/resume',
  title: 'The machine goes on from its saved memory, answers, and shuts down in order',
  failureTitle: 'The machine does not go on from its saved memory',
  description:
    'Resumes the machine from its saved memory on throw-away disks, closed off from every network; watches whether it moves and answers, and presses the power button.',
  stage: 'life',
  depth: 'resume',
  targetKind: 'way',
  lab: 'machine',
  timeoutMs: 3 * 3_600_000,
  optionsSchema: OPTIONS_SCHEMA,
  defaultOptions: DEFAULT_OPTIONS,
  skipReason: (target: CheckTarget) => (target.kind === 'way' && target.way === 'resume' ? null : 'this is another way back'),
  collect: (_target, context) => bringBack('resume', context),
  evaluate: evaluateLife,
});
