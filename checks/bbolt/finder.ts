/** Finds bbolt stores anywhere in a guest by the magic number of their meta pages, and members of etcd by their folders. */
import { fileHeads } from '../../src/bytes/file-heads.js';
import type { EngineFinder } from '../../src/check.js';
import type { DatabaseInstance, GuestEntry } from '../../src/types.js';
import { isBolt } from './format/meta.js';

const META_BYTES = 24;
const PAGE_BYTES = 4096;
/** Where a member of etcd keeps its store: known by its place even when it cannot be read at all. */
const MEMBER_STORE = /\/member\/snap\/db$/;

export const boltFinder: EngineFinder = {
  engine: 'bbolt',
  async find({ files, entries }) {
    const all = [...entries()].filter(({ type }) => type === 'file');
    const instances = all.filter(isMember).map((entry) => instanceAt(entry, 'etcd', entry.location.path.replace(/\/snap\/db$/, '')));
    for await (const { entry, head } of fileHeads(files, all.filter(isCandidate), PAGE_BYTES + META_BYTES)) {
      // The first meta page, or (where it is damaged) the second.
      if (isBolt(head) || isBolt(head.subarray(PAGE_BYTES))) instances.push(instanceAt(entry, 'bbolt', entry.location.path));
    }
    return instances;
  },
};

const isMember = ({ location }: GuestEntry): boolean => MEMBER_STORE.test(location.path);

function isCandidate(entry: GuestEntry): boolean {
  return !isMember(entry) && entry.sizeBytes >= 4 * PAGE_BYTES && entry.sizeBytes % PAGE_BYTES === 0;
}

function instanceAt({ location, sizeBytes }: GuestEntry, engine: string, path: string): DatabaseInstance {
  return { id: `${engine} ${location.volume}:${path}`, engine, version: null, location: { ...location, path }, links: [], facts: { sizeBytes } };
}
