/** How far the log in memory follows that on the disk, where its end is not in memory. */
import type { GuestRam } from '../../../src/ways.js';
import { verifyMtr } from '../format/mini-transaction.js';
import { BLOCK } from '../redo/block-stream.js';
import { MtrIndex } from '../redo/mtr-index.js';
import type { RawLog } from '../redo/raw-log.js';
import type { Hit } from './cached.js';
import { payloadFrom, payloadTo } from './log-index.js';

export interface Newest {
  lsn: number;
  /**
   * A block in which a write ended stands there twice: in the buffer that was written, and where the server went on. Of a server that
   * runs this is so; of what a server left behind, newer pages would have to be used for something else by now, and both of these not.
   */
  isTwice: boolean;
}

const PAGE_BYTES = 4096;
/** Mini-transactions are looked for that begin so far before a block and end in it: most are shorter. */
const BEFORE_BYTES = 4096;
/** So many pages are asked whether they hold log at all. */
const MAX_ASKED = 512;

/** Null: nothing that stands there is log. @param firstLsn nothing before it is looked for. @param hits newest first */
export async function newestOf(log: RawLog, ram: GuestRam, firstLsn: number, hits: Hit[]): Promise<Newest | null> {
  const runs = await runsOf(log, ram, firstLsn, hits);
  let lsn = -1;
  for (const run of runs.slice(0, MAX_ASKED)) {
    const isTwice = run.isEnd && runs.some((other) => other !== run && other.from <= log.blockOf(run.to) && other.to >= run.to);
    if ((lsn >= 0 && !isTwice) || !(await isLog(log, run))) continue;
    if (lsn < 0) lsn = run.to;
    if (isTwice) return { lsn, isTwice };
  }
  return lsn < 0 ? null : { lsn, isTwice: false };
}

/** Bytes of log, by LSN, that stand in one page of memory as on the disk. */
interface Run {
  from: number;
  to: number;
  /** Other bytes follow in the page: there the log in it ends. */
  isEnd: boolean;
}

/** Those that come furthest first. */
async function runsOf(log: RawLog, ram: GuestRam, firstLsn: number, hits: Hit[]): Promise<Run[]> {
  const runs: Run[] = [];
  const seen = new Set<number>();
  for (const hit of hits) {
    const page = hit.address - (hit.address % PAGE_BYTES);
    if (!seen.has(page)) runs.push(await runAround(log, ram, firstLsn, hit));
    seen.add(page);
  }
  return runs.sort((one, other) => other.to - one.to);
}

async function runAround(log: RawLog, ram: GuestRam, firstLsn: number, { lsn, address }: Hit): Promise<Run> {
  const before = Math.min(address % PAGE_BYTES, lsn - firstLsn);
  const page = await ram.read(address - before, before + PAGE_BYTES - (address % PAGE_BYTES));
  const onDisk = Buffer.alloc(page.length);
  await log.read(lsn - before, onDisk);
  const equal = (block: number) => equalTo(log, page, onDisk, block);
  const whole = payloadTo(log.form);
  let from = before;
  while (from >= BLOCK && equal(from - BLOCK) === whole) from -= BLOCK;
  let to = before;
  while (to < page.length && equal(to) === whole) to += BLOCK;
  const rest = to < page.length ? equal(to) : 0;
  return { from: lsn - before + from, to: lsn - before + to + (rest > payloadFrom(log.form) ? rest : 0), isEnd: to < page.length };
}

/** Where in a block the first byte differs; where the block's bytes of log end when none does. */
function equalTo({ form }: RawLog, one: Buffer, other: Buffer, block: number): number {
  let at = payloadFrom(form);
  while (at < payloadTo(form) && one[block + at] === other[block + at]) at++;
  return at;
}

/**
 * Whether it is log at all: data that were logged stand in pages too. A block with a header bears its number, by which it was found.
 * In a ring the checksum of a mini-transaction must be among the bytes.
 */
async function isLog({ stream }: RawLog, run: Run): Promise<boolean> {
  if (!stream) return true;
  const from = Math.max(stream.firstLsn, run.from - BEFORE_BYTES);
  const bytes = Buffer.alloc(run.to - from);
  await stream.read(from, bytes, bytes.length);
  const index = new MtrIndex();
  index.build(bytes, bytes.length);
  for (let at = 0; at < bytes.length; at++) {
    const end = index.endOf(at);
    if (end < run.from - from || bytes[end] !== stream.endByteAt(from + end)) continue;
    if (verifyMtr(bytes, at, end, bytes.length, stream.form.nonceBytes) > 0) return true;
  }
  return false;
}
