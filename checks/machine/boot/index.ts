import { type CheckTarget, defineCheck } from '../../../src/check.js';
import { bringBack, DEFAULT_OPTIONS, OPTIONS_SCHEMA, type WayOptions } from '../collect.js';
import { evaluateLife } from '../evaluate.js';
import type { LifeEvidence } from '../evidence.js';

export default defineCheck<LifeEvidence, WayOptions>({
  id: 'machine/boot',
  title: 'The machine starts from its disks alone, comes to its work, and shuts down in order',
  failureTitle: 'The machine does not start from its disks',
  description:
    'Starts the machine cold from throw-away copies of its disks, closed off from every network; watches how far it comes and whether it answers, and presses the power button.',
  stage: 'life',
  depth: 'boot',
  targetKind: 'way',
  lab: 'machine',
  timeoutMs: 3 * 3_600_000,
  optionsSchema: OPTIONS_SCHEMA,
  defaultOptions: DEFAULT_OPTIONS,
  skipReason: (target: CheckTarget) => (target.kind === 'way' && target.way === 'boot' ? null : 'this is another way back'),
  collect: (_target, context) => bringBack('boot', context),
  evaluate: evaluateLife,
});
