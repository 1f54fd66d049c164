/** Groups of log records of MySQL 5.7 (mini-transactions): one record that says it is alone, or several up to a mark of their end. */
import { extentPages } from './free-map.js';
import { BAD, type MtrVisitor, readU32 } from './mini-transaction.js';
import { type Records57, TYPE_57 } from './mysql-57-record.js';

/** A server cannot recover a longer one (RECV_PARSING_BUF_SIZE). */
export const MAX_GROUP_BYTES = 2 << 20;
/** Descriptors of extents lie in pages whose number is a multiple of the page size, which is 1024 at least. */
const DESCRIPTOR_STEP = 1024;
const DESCRIPTORS_AT = 38 + 112;
const BITS_AT = 24;
const PAGES_PER_BYTE = 4;

/** Where the group at `at` ends; SHORT when that lies beyond `limit`, BAD when there is none. */
export function findGroupEnd(records: Records57, bytes: Uint8Array, at: number, limit: number): number {
  for (let position = at; ; ) {
    const next = records.next(bytes, position, limit);
    if (next < 0) return next;
    const isFirst = position === at;
    if (records.isGroupEnd) return isFirst ? BAD : next;
    if (records.single) return isFirst ? next : BAD;
    if (next - at > MAX_GROUP_BYTES) return BAD;
    position = next;
  }
}

/** Tells a visitor what the records between `at` and `end` (from `findGroupEnd`) do. @param logicalBytes page size of the instance. */
export function visitGroup(records: Records57, bytes: Buffer, at: number, end: number, logicalBytes: number, visitor: MtrVisitor): boolean {
  for (let position = at; position < end; ) {
    const next = records.next(bytes, position, end);
    if (next < 0) return false;
    if (records.isCheckpoint) visitor.checkpoint(readU32(bytes, position + 1) * 2 ** 32 + readU32(bytes, position + 5));
    else if (records.changesPage) visitChange(records, bytes, logicalBytes, visitor);
    else visitFile(records, bytes, visitor);
    position = next;
  }
  return true;
}

function visitChange(records: Records57, bytes: Buffer, logicalBytes: number, visitor: MtrVisitor): void {
  const { space, page, type } = records;
  // Recovery reads the page before it begins it anew: what was torn is not healed, so that this is a change like others.
  visitor.write(space, page);
  if (page % DESCRIPTOR_STEP !== 0 || (type !== TYPE_57.byte && type !== TYPE_57.word && type !== TYPE_57.half)) return;
  const offset = bytes.readUInt16BE(records.body);
  records.integer(records.body + 2);
  for (const freed of freedPages(page, offset, type, records.value, extentPages(logicalBytes))) visitor.release(space, freed);
}

/** Pages that a write of `width` bytes into a descriptor page says are free. Of a page that is none, numbers that mean nothing: nothing is required of them then. */
export function freedPages(page: number, offset: number, width: number, value: number, perExtent: number): number[] {
  const entryBytes = BITS_AT + perExtent / PAGES_PER_BYTE;
  const freed: number[] = [];
  for (let i = 0; i < width; i++) {
    const inEntry = (offset + i - DESCRIPTORS_AT) % entryBytes;
    if (offset + i < DESCRIPTORS_AT || inEntry < BITS_AT) continue;
    const first = page + Math.floor((offset + i - DESCRIPTORS_AT) / entryBytes) * perExtent + (inEntry - BITS_AT) * PAGES_PER_BYTE;
    const bits = Math.floor(value / 256 ** (width - 1 - i)) % 256;
    for (let j = 0; j < PAGES_PER_BYTE; j++) if ((bits >> (2 * j)) & 1) freed.push(first + j);
  }
  return freed;
}

const FILE_WORDS: Partial<Record<number, 'create' | 'delete' | 'rename' | 'modify'>> = {
  [TYPE_57.fileCreate]: 'create',
  [TYPE_57.fileDelete]: 'delete',
  [TYPE_57.fileRename]: 'rename',
  [TYPE_57.fileName]: 'modify',
};

function visitFile(records: Records57, bytes: Buffer, visitor: MtrVisitor): void {
  const { space, type, body } = records;
  if (type === TYPE_57.truncate) visitor.trim(space, 0);
  const what = FILE_WORDS[type];
  if (!what) return;
  const at = body + (what === 'create' ? 4 : 0);
  const name = text(bytes, at);
  visitor.file(what, space, name, what === 'rename' ? text(bytes, at + 2 + bytes.readUInt16BE(at)) : null);
}

/** A length in two bytes, then the name with a zero at its end. */
function text(bytes: Buffer, at: number): string {
  return bytes.toString('utf8', at + 2, at + 2 + bytes.readUInt16BE(at)).split('\0')[0] ?? '';
}
