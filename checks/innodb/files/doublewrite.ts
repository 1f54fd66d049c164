/**
 * Copies of pages in the doublewrite buffer: a page that was torn while it was written is taken from there.
 * Sources: MariaDB storage/innobase/include/trx0sys.h (TRX_SYS_DOUBLEWRITE) and buf/buf0dblwr.cc; MySQL 8.0.20 and later keep files
 * `#ib_16384_0.dblwr` of pages one after the other (buf/buf0dblwr.cc). A copy counts when its own checksum is right.
 */
import { posix } from 'node:path';
import { BlockReader } from '../../../src/bytes/block-reader.js';
import type { ByteMap, DatabaseInstance, GuestFiles } from '../../../src/types.js';
import { extentPages } from '../format/free-map.js';
import { isAllZero, PAGE, readLsn } from '../format/page.js';
import { PageProofs } from '../page-proof.js';
import type { LogFacts } from '../redo/facts.js';
import type { LogKnowledge } from '../redo/knowledge.js';
import type { Tablespace } from './tablespaces.js';

const TRX_SYS_PAGE = 5;
const MAGIC = 536853855;
/** From the end of the page: two file segments of ten bytes each come first, then the magic number and the two blocks. */
const TRAILER = 200;
/** Of MySQL 8.0.20 and later; of Percona Server 5.7. */
const COPY_FILE = /^(#ib_\d+_\d+\.dblwr|xb_doublewrite)$/;
const MAX_FILE_BYTES = 1024 * 1024 * 1024;

export interface Copies {
  /** Pages of the system tablespace that hold no data of their own. `emptyOnly`: where they are empty. */
  ranges: { from: number; to: number; emptyOnly?: boolean }[];
  copies: number;
}

export interface CopyContext {
  spaces: Tablespace[];
  knowledge: LogKnowledge;
  /** A copy is taken only when it is not older than the checkpoint. Null: nothing is known of the log. */
  log: LogFacts | null;
  signal: AbortSignal;
}

export async function readCopies(files: GuestFiles, instance: DatabaseInstance, context: CopyContext): Promise<Copies> {
  const reader = new BlockReader();
  try {
    const found: Copies = { ranges: [], copies: 0 };
    const system = context.spaces.find((space) => space.file.kind === 'system' && space.firstPage === 0);
    if (system) await readSystem(reader, system, context, found);
    for (const map of await copyFiles(files, instance)) {
      await readRun(reader, { map, offset: 0, lengthBytes: Math.min(map.sizeBytes, MAX_FILE_BYTES) }, context, found);
    }
    return found;
  } finally {
    await reader.close();
  }
}

async function copyFiles(files: GuestFiles, instance: DatabaseInstance): Promise<ByteMap[]> {
  const entries = (await files.list(instance.location)).filter((entry) => COPY_FILE.test(posix.basename(entry.location.path)));
  const maps = await files.map(entries.map((entry) => entry.location));
  return maps.filter((map): map is ByteMap => map !== null);
}

async function readSystem(reader: BlockReader, system: Tablespace, context: CopyContext, found: Copies): Promise<void> {
  const { pageBytes } = system.flags;
  const blockPages = extentPages(pageBytes);
  const page = Buffer.alloc(pageBytes);
  if (system.map.sizeBytes < (TRX_SYS_PAGE + 1) * pageBytes) return;
  await reader.read(system.map, TRX_SYS_PAGE * pageBytes, page, pageBytes);
  const at = pageBytes - TRAILER + 10;
  if (page.readUInt32BE(at) !== MAGIC) return;
  found.ranges.push(...(await neverWritten(reader, system, page.readUInt32BE(at - 6), page.readUInt16BE(at - 2))));
  for (const first of [page.readUInt32BE(at + 4), page.readUInt32BE(at + 8)]) {
    if (first <= TRX_SYS_PAGE || (first + blockPages) * pageBytes > system.map.sizeBytes) continue;
    found.ranges.push({ from: first, to: first + blockPages });
    await readRun(reader, { map: system.map, offset: first * pageBytes, lengthBytes: blockPages * pageBytes }, context, found);
  }
}

/**
 * When the buffer is made, half an extent of single pages is given to its segment so that what follows comes in whole extents: they are never written.
 * They stand in the segment's inode, after its id, its lists and its magic number (fsp0fsp.h: FSEG_FRAG_ARR).
 */
async function neverWritten(reader: BlockReader, system: Tablespace, inodePage: number, inodeAt: number): Promise<Copies['ranges']> {
  const { pageBytes } = system.flags;
  const entries = extentPages(pageBytes) / 2;
  const head = Buffer.alloc(PAGE.data);
  if ((inodePage + 1) * pageBytes <= system.map.sizeBytes) await reader.read(system.map, inodePage * pageBytes, head, head.length);
  const keyVersion = head.readUInt32BE(system.flags.fullCrc32 ? PAGE.checksum : PAGE.keyVersion);
  // An encrypted inode cannot be read: then an empty page before the buffer may be one of them.
  if (keyVersion !== 0) return [{ from: TRX_SYS_PAGE, to: 2 * extentPages(pageBytes), emptyOnly: true }];
  const from = inodePage * pageBytes + inodeAt + 64;
  if (inodeAt + 64 + 4 * entries > pageBytes || from + 4 * entries > system.map.sizeBytes) return [];
  const array = Buffer.alloc(4 * entries);
  await reader.read(system.map, from, array, array.length);
  const pages = Array.from({ length: entries }, (_, i) => array.readUInt32BE(4 * i));
  return pages.filter((page) => page > TRX_SYS_PAGE && page < system.map.sizeBytes / pageBytes).map((page) => ({ from: page, to: page + 1 }));
}

interface Run {
  map: ByteMap;
  offset: number;
  lengthBytes: number;
}

/** Pages of the instance's page size; those of compressed tablespaces are shorter and lie at the beginning of their place. */
async function readRun(reader: BlockReader, { map, offset, lengthBytes }: Run, context: CopyContext, found: Copies): Promise<void> {
  const step = context.spaces[0]?.flags.logicalBytes ?? 16384;
  const proofs = new PageProofs(65536);
  const byId = new Map(context.spaces.map((space) => [space.space, space]));
  for (let at = offset; at + step <= offset + lengthBytes; at += step) {
    context.signal.throwIfAborted();
    await reader.read(map, at, proofs.buffer, step);
    if (isAllZero(proofs.buffer, 0, 64)) continue;
    const space = byId.get(proofs.view.getUint32(PAGE.space));
    if (!space || space.flags.pageBytes > step) continue;
    proofs.prepare(space.form, 1);
    if (proofs.proof(space.form, 0) === 'good') judgeCopy(proofs, space, context, found);
  }
}

/**
 * The checkpoint waits for the page: from one on that is newer than a copy, the page in its place is not older than the copy (R2). Nothing
 * follows from a copy that is newer than the end of the log: MariaDB writes copies before the log of their changes.
 */
function judgeCopy(proofs: PageProofs, space: Tablespace, { knowledge, log }: CopyContext, found: Copies): void {
  const lsn = readLsn(proofs.view, PAGE.lsn);
  const page = proofs.view.getUint32(PAGE.number);
  const number = knowledge.spaces.intern(space.space);
  if (number < 0) return;
  if (lsn >= (log?.checkpoint ?? 0)) {
    knowledge.table.noteCopy(number, page);
    found.copies++;
  } else if (isSurely(proofs, space) && !knowledge.wasCut(space.space) && !knowledge.table.isRestored(knowledge.table.find(number, page))) {
    knowledge.table.require(number, page, lsn);
  }
}

/** What is encrypted or compressed does not say in the clear of which tablespace it is. */
function isSurely(proofs: PageProofs, { form }: Tablespace): boolean {
  return !proofs.isEncrypted(form, 0) && !proofs.isCompressed(form, 0);
}
