import { type CheckTarget, defineCheck } from '../../../src/check.js';
import { evaluate } from './evaluate.js';
import { evidenceOf } from './evidence.js';

export type { CompletenessEvidence } from './evidence.js';

export default defineCheck({
  id: 'image/completeness',
  title: 'Every image file is there, may be opened, and is as long as its own tables require',
  failureTitle: 'An image file is missing, cut off, or must not be opened',
  description:
    'Compares the length of every file of the chain with the highest byte its own tables point to, and says why an image was refused. Reads nothing of the guest.',
  stage: 'image',
  depth: 'static',
  targetKind: 'image',
  lab: 'none',
  timeoutMs: 60_000,
  optionsSchema: { type: 'object', additionalProperties: false, properties: {} },
  defaultOptions: {},
  skipReason: (target: CheckTarget) => (target.kind === 'image' ? null : 'it looks at images only'),
  collect: async (target: CheckTarget) => evidenceOf(target),
  evaluate,
});
