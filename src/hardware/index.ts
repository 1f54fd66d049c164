/** The hardware of a restore point: described for QEMU, held against what else is known, and whether this host can continue it. */
export { type ContinuationHost, continuationObstacle } from './continuation.js';
export { describeMachine, type HardwareRequest } from './describe.js';
export { machineTypesOf } from './machine-types.js';
export { networkNeeds } from './stream-machine.js';
