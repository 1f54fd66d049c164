/** Finds Lucene indexes: every folder with a commit, `segments_N`. */
import { posix } from 'node:path';
import type { EngineFinder } from '../../src/check.js';
import type { GuestLocation } from '../../src/types.js';
import { ENGINE } from './applies.js';

export const COMMIT_NAME = /^segments_([0-9a-z]{1,13})$/;

export const luceneFinder: EngineFinder = {
  engine: ENGINE,
  async find(tree) {
    const folders = new Map<string, GuestLocation>();
    for (const { type, location, sizeBytes } of tree.entries()) {
      if (type !== 'file' || sizeBytes === 0 || !COMMIT_NAME.test(posix.basename(location.path))) continue;
      const folder = { volume: location.volume, path: posix.dirname(location.path) };
      folders.set(`${folder.volume}:${folder.path}`, folder);
    }
    return [...folders].map(([place, location]) => ({ id: `${ENGINE} ${place}`, engine: ENGINE, version: null, location, links: [], facts: {} }));
  },
};
