/** Finds Firebird databases by their header page, whatever they are called. */
import { fileHeads } from '../../src/bytes/file-heads.js';
import type { EngineFinder } from '../../src/check.js';
import { FormatError } from '../../src/errors.js';
import type { DatabaseInstance, GuestEntry } from '../../src/types.js';
import { ENGINE } from './applies.js';
import { type DatabaseHeader, HEADER_BYTES, parseHeader } from './format/page.js';

const USUAL_NAME = /\.(fdb|gdb)$/i;
const MIN_PAGE_BYTES = 1024;
const MIN_PAGES = 8;

export const firebirdFinder: EngineFinder = {
  engine: ENGINE,
  async find(tree) {
    const candidates = [...tree.entries()].filter(isCandidate);
    const found: DatabaseInstance[] = [];
    for await (const { entry, head } of fileHeads(tree.files, candidates, HEADER_BYTES)) {
      const header = headerOrNull(head);
      const own = header !== null && head.readUInt32LE(12) === 0;
      // A damaged header page must not hide a database that bears the usual name.
      if (own || USUAL_NAME.test(entry.location.path)) found.push(instance(entry, header));
    }
    return found;
  },
};

function isCandidate({ type, sizeBytes, location }: GuestEntry): boolean {
  if (type !== 'file' || sizeBytes === 0) return false;
  return USUAL_NAME.test(location.path) || (sizeBytes % MIN_PAGE_BYTES === 0 && sizeBytes >= MIN_PAGES * MIN_PAGE_BYTES);
}

function headerOrNull(head: Buffer): DatabaseHeader | null {
  try {
    return parseHeader(head);
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

function instance({ location, sizeBytes }: GuestEntry, header: DatabaseHeader | null): DatabaseInstance {
  const version = header ? `${header.odsMajor}.${header.odsMinor}` : null;
  const facts = { sizeBytes, pageBytes: header?.pageBytes ?? null, forcedWrites: header?.forcedWrites ?? null };
  return { id: `${ENGINE} ${location.volume}:${location.path}`, engine: ENGINE, version, location, links: [], facts };
}
