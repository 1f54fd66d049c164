/** Saved memory: opened from any container that is read here, with what it says of its machine. Nothing of the guest runs. */
export { isRam, mainBlocks } from './address-space.js';
export { type OpenMemoryRequest, openSavedMemory } from './open.js';
export { isMemoryName, MEMORY_HEAD_BYTES, recogniseMemory } from './recognise.js';
export { kindOf } from './state/devices.js';
