/** Finds WiredTiger databases: every folder with WiredTiger.turtle, or what is left of one. */
import { posix } from 'node:path';
import type { EngineFinder } from '../../src/check.js';
import type { DatabaseInstance, GuestLocation } from '../../src/types.js';
import { ENGINE } from './applies.js';

const MARK = /^(WiredTiger\.turtle|WiredTiger\.wt|_mdb_catalog\.wt)$/;

export const wiredTigerFinder: EngineFinder = {
  engine: ENGINE,
  async find(tree) {
    const folders = new Map<string, GuestLocation>();
    for (const { type, location } of tree.entries()) {
      if (type !== 'file' || !MARK.test(posix.basename(location.path))) continue;
      const folder = { volume: location.volume, path: posix.dirname(location.path) };
      folders.set(`${folder.volume}:${folder.path}`, folder);
    }
    return [...folders.values()].map(instance);
  },
};

function instance(location: GuestLocation): DatabaseInstance {
  return { id: `${ENGINE} ${location.volume}:${location.path}`, engine: ENGINE, version: null, location, links: [], facts: {} };
}
