import { type CheckTarget, defineCheck } from '../../../src/check.js';
import { collect } from './collect.js';
import { evaluate } from './evaluate.js';

export type { LayerReport, StructureEvidence } from './evidence.js';

export default defineCheck({
  id: 'image/structure',
  title: 'The tables inside every image file agree with each other',
  failureTitle: 'The tables inside an image file contradict each other',
  description:
    'Runs qemu-img check on every file of the chain by itself, in the sandbox: no cluster is used twice or counted wrongly, no table points to nowhere.',
  stage: 'image',
  depth: 'static',
  targetKind: 'image',
  lab: 'sandbox',
  timeoutMs: 30 * 60_000,
  optionsSchema: {
    type: 'object',
    additionalProperties: false,
    properties: { memoryMiB: { type: 'integer', minimum: 256, description: 'Memory qemu-img may use: its refcounts take about 32 MiB per TiB.' } },
  },
  defaultOptions: { memoryMiB: 2048 },
  skipReason: (target: CheckTarget) => {
    if (target.kind !== 'image') return 'it looks at images only';
    return target.image.refused ? 'the image was refused and must not be opened (see image/completeness)' : null;
  },
  collect,
  evaluate,
});
