/** The hardware of a restore point: described for QEMU, held against what else is known, and whether this host can continue it. */
export { type ContinuationHost, continuationObstacle } from './continuation.js';
export { type DescribedMachine, describeMachine, type HardwareRequest } from './describe.js';
export { networkNeeds } from './stream-machine.js';
