/** Follows the saved memory from its first byte to its end, and holds the machine in it against what else is known of it. */
import { defineMemoryCheck } from '../define.js';
import { evaluate } from './evaluate.js';
import { collect, type StreamEvidence } from './evidence.js';

export type { StreamEvidence } from './evidence.js';

export default defineMemoryCheck<StreamEvidence>({
  id: 'memory/stream',
  title: 'The saved memory is whole, and belongs to this machine',
  failureTitle: 'The saved memory is cut off or damaged, or belongs to another machine',
  description:
    "Follows the saved memory through all its sections to its end, without starting anything, and compares the machine it was saved from with the manifest, libvirt's description and the disks.",
  lab: 'sandbox',
  timeoutMs: 6 * 60 * 60_000,

  collect,
  evaluate,
});
