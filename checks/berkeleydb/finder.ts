/** Finds Berkeley DB files anywhere in a guest by the magic number of their first page. */
import { fileHeads } from '../../src/bytes/file-heads.js';
import type { EngineFinder } from '../../src/check.js';
import type { DatabaseInstance, GuestEntry } from '../../src/types.js';
import { berkeleyKind } from './format/meta.js';

const HEAD_BYTES = 16;
const MIN_PAGE_BYTES = 512;
const LIKELY_NAME = /\.(db|bdb)$/i;

export const berkeleyFinder: EngineFinder = {
  engine: 'berkeleydb',
  async find({ files, entries }) {
    const instances: DatabaseInstance[] = [];
    for await (const { entry, head } of fileHeads(files, [...entries()].filter(isCandidate), HEAD_BYTES)) {
      const found = head.length < HEAD_BYTES ? null : berkeleyKind(head);
      if (!found) continue;
      const { location, sizeBytes } = entry;
      const facts = { kind: found.kind, littleEndian: found.littleEndian, sizeBytes };
      instances.push({ id: `berkeleydb ${location.volume}:${location.path}`, engine: 'berkeleydb', version: null, location, links: [], facts });
    }
    return instances;
  },
};

/** Files are whole pages; one that was cut is known by its name only. */
function isCandidate({ type, sizeBytes, location }: GuestEntry): boolean {
  return type === 'file' && sizeBytes >= HEAD_BYTES && (sizeBytes % MIN_PAGE_BYTES === 0 || LIKELY_NAME.test(location.path));
}
