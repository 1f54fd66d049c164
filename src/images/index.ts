/** Snapshot images: header guard, chains, completeness, digests. Nothing here runs a tool. */
export { changesSince, type Stamps, stampFiles } from './changes.js';
export { type DigestOptions, type DigestResult, digestFiles, type FileToDigest, filesToDigest } from './digest.js';
export { HEAD_BYTES, identifyFormat } from './identify.js';
export { ImageFile } from './image-file.js';
export { type OpenOptions, openImage, openImages } from './open.js';
export { backingNameOf, formatNamed, IMAGE_FORMATS, parseImage, recognise } from './parse.js';
export { locateVmState, type VmState } from './qcow2/vm-state.js';
