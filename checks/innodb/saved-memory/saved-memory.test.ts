import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeFiles } from '../../testing/write-files.js';
import { blockLog, checkpoint57, checkpointRecord, group57, record57, ringLog } from '../testing/build-log.js';
import { Instant } from '../testing/instants.js';
import { sealed } from '../testing/random-log.js';
import { judgeSavedMemory, type SavedMemoryEvidence } from './judge.js';

const PAGE = 4096;
const RING_AT = 12288;
const FIRST = 20480;
const CAPACITY = 65536;

let folder = '';
let made = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'snapproof-saved-memory-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What is said of a log on the disk with pages of memory. */
async function say(log: Record<string, Buffer>, pages: Buffer[], other: Record<string, Buffer> = {}): Promise<string> {
  const files = writeFiles(join(folder, `files${made++}`), { ...log, ibdata1: Buffer.alloc(16384), 'mysql/db.frm': 'x', ...other });
  const memory = join(folder, `memory${made}`);
  writeFileSync(memory, Buffer.concat([Buffer.alloc(PAGE, 'nothing of it'), ...pages]));
  const instant = new Instant(files, memory);
  return (await instant.withMemoryOf(instant)).relation;
}

const random = (seed: string, lengthBytes: number) => {
  const parts = Array.from({ length: Math.ceil(lengthBytes / 64) }, (_, i) => createHash('sha512').update(`${seed} ${i}`).digest());
  return Buffer.concat(parts).subarray(0, lengthBytes);
};
const change = (i: number) => Buffer.concat([Buffer.from([0x30, 60, 5, i % 100, 60]), random(`change ${i}`, 71)]);
/** A record that fills several blocks with data. */
const long = Buffer.concat([Buffer.from([0x30, 0x80 + 0x2f, 0x71, 5, 9, 60]), random('long', 1 + 15 + 0x2f71 + 0x80 - 6)]);

/** A ring that ends behind so many changes, with a checkpoint that was written behind fewer. */
function ring(changes: number, checkpointAfter: number, last: Buffer[] = []): { file: Buffer; end: number } {
  const shape = { firstLsn: FIRST, capacity: CAPACITY };
  const before = Array.from({ length: checkpointAfter }, (_, i) => change(i));
  const { bytes } = sealed(before, FIRST, shape);
  const lsn = FIRST + bytes.length;
  const after = Array.from({ length: changes - checkpointAfter }, (_, i) => change(checkpointAfter + i));
  const all = sealed([...before, checkpointRecord(lsn), ...after, ...last], FIRST, shape).bytes;
  return { file: ringLog(FIRST, CAPACITY, all, { lsn, endLsn: lsn }), end: FIRST + all.length };
}

type Ring = ReturnType<typeof ring>;
const onDisk = ({ file }: Ring) => ({ ib_logfile0: file });
/** The page of a log buffer that holds its end, or one so many pages before it. */
const pageOf = ({ file, end }: Ring, before = 0) => {
  const at = RING_AT + end - 1 - FIRST;
  return file.subarray(at - (at % PAGE) - before * PAGE, at - (at % PAGE) - (before - 1) * PAGE);
};
/** The page in which the server goes on: it begins with the last block that was written. */
const nextOf = ({ file, end }: Ring) => {
  const at = RING_AT + end - FIRST;
  return Buffer.concat([file.subarray(at - (at % 512), at), Buffer.alloc(PAGE - (at % 512), 'x')]);
};
const checkpointOf = ({ file }: Ring) => Buffer.concat([file.subarray(PAGE, PAGE + 64), Buffer.alloc(PAGE - 64)]);

describe('the end of a ring', () => {
  const disk = ring(400, 300);
  // with as many changes before it the checkpoint's record lies where it does in `disk`
  const early = ring(320, 300);

  it('agrees where it stands in memory', async () => {
    expect(await say(onDisk(disk), [pageOf(disk), checkpointOf(disk)])).toBe('agrees');
    expect(await say(onDisk(disk), [pageOf(disk)])).toBe('agrees');
    expect(await say(onDisk(early), [pageOf(disk), pageOf(disk, 1), pageOf(disk, 2)]), 'more was logged, and not written yet').toBe('agrees');
  });

  it('is doubted where the log in memory ends before', async () => {
    expect(await say(onDisk(disk), [pageOf(early), nextOf(early), checkpointOf(disk)])).toBe('differs');
    expect(await say(onDisk(disk), [pageOf(early), nextOf(early), checkpointOf(ring(210, 200))])).toBe('later');
  });

  it('is doubted where a checkpoint in memory lies behind it', async () => {
    const later = ring(600, 500);
    expect(await say(onDisk(disk), [pageOf(later, 3), checkpointOf(later), pageOf(disk)])).toBe('earlier');
    expect(await say(onDisk(disk), [checkpointOf(later)]), 'of whatever server').toBe('unknown');
    expect(await say(onDisk(disk), [pageOf(disk), checkpointOf(later), checkpointOf(disk)]), 'left of another server').toBe('agrees');
  });

  it('cannot be told', async () => {
    const [page, next, checkpoint] = [pageOf(early), nextOf(early), checkpointOf(disk)];
    expect(await say(onDisk(disk), []), 'nothing is there').toBe('unknown');
    expect(await say(onDisk(disk), [page, next]), 'no checkpoint').toBe('unknown');
    expect(await say(onDisk(disk), [page, checkpoint]), 'once: left of a server that was killed').toBe('unknown');
    expect(await say(onDisk(disk), [pageOf(disk, 1), pageOf(disk, 1), checkpoint]), 'to the end of a page').toBe('unknown');
    expect(await say(onDisk(disk), [page, next, checkpoint], { 'other/mysql/db.frm': Buffer.from('x'), 'other/ibdata1': Buffer.alloc(16384) })).toBe('unknown');
    expect(await say(onDisk(ring(400, 400)), [page, next, checkpoint]), 'it was shut down').toBe('unknown');
  });

  it('is not held against data that were logged, in a page of a table', async () => {
    const large = ring(400, 300, [long, change(401), change(402)]);
    const blocks = large.file.subarray(pageStart(large) - PAGE, pageStart(large));
    const table = Buffer.concat([blocks.subarray(0, 2048), Buffer.alloc(2048, 'a')]);
    expect(await say(onDisk(large), [table, table, checkpointOf(large)])).toBe('unknown');
  });
});

const pageStart = ({ end }: Ring) => RING_AT + end - 1 - FIRST - ((RING_AT + end - 1 - FIRST) % PAGE);

describe('the end of a log of blocks', () => {
  const string = (page: number) => group57(record57(30, 7, page % 100, [0, 60, 0, 40, ...random(`string ${page}`, 40)]));
  const log = (changes: number, format = 1, creator = 'MySQL 5.7.44') => {
    const before = Array.from({ length: 60 }, (_, i) => string(i));
    const checkpointAt = Buffer.concat(before).length;
    const plan = { format, creator, files: 2, fileBytes: 2048 + 512 * 40, startLsn: 8192, checkpointAt, checkpointEndAt: checkpointAt };
    const lsn = blockLog({ ...plan, payload: Buffer.concat(before) }).lsnOf(checkpointAt);
    const all = [...before, checkpoint57(lsn), ...Array.from({ length: changes }, (_, i) => string(60 + i))];
    const starts = all.map((_, i) => all.slice(0, i).reduce((sum, bytes) => sum + bytes.length, 0));
    return blockLog({ ...plan, payload: Buffer.concat(all), starts }).files as [Buffer, Buffer];
  };
  const names = ([first, second]: Buffer[]) => ({ ib_logfile0: first as Buffer, ib_logfile1: second as Buffer });
  /** The log as it lies in a buffer; the checkpoint lies in the third block of the file. */
  const buffer = ([first]: Buffer[]) => Buffer.concat([(first as Buffer).subarray(2048), Buffer.alloc(PAGE)]).subarray(0, 5 * PAGE);
  const checkpoint = ([first]: Buffer[]) => Buffer.concat([(first as Buffer).subarray(512, 1024), Buffer.alloc(PAGE - 512)]);

  it.each([
    [1, 'MySQL 5.7.44'],
    [3, 'MySQL 8.0.18'],
  ])('of format %d is found, and doubted', async (format, creator) => {
    const [disk, early] = [log(140, format, creator), log(40, format, creator)];
    expect(await say(names(disk), [buffer(disk)])).toBe('agrees');
    expect(await say(names(disk), [buffer(early), buffer(early), checkpoint(disk)])).toBe('differs');
    expect(await say(names(disk), [buffer(early), checkpoint(disk)])).toBe('unknown');
    expect(await say(names(disk), [buffer(early), buffer(early)])).toBe('unknown');
    expect(await say(names(early), [buffer(disk), checkpoint(disk)]), 'not written yet').toBe('agrees');
  });
});

describe('the judgement', () => {
  const evidence = (cached: Partial<SavedMemoryEvidence['cached']>, more: Partial<SavedMemoryEvidence> = {}): SavedMemoryEvidence => ({
    onDisk: { checkpoint: 5000, end: 9000, isRunning: true },
    cached: { tail: false, newest: { lsn: 8000, isTwice: true }, checkpoints: { before: null, within: 5000, beyond: null }, ...cached },
    others: false,
    ...more,
  });
  const told = (one: SavedMemoryEvidence): string => {
    const { outcome, findings, untested, tested } = judgeSavedMemory(one);
    const codes = findings.map(({ code, severity }) => `${severity} ${code.replace('innodb.saved-memory.', '')}`);
    return [outcome, ...codes, ...tested.map(() => 'tested'), ...untested.map(({ holdsData }) => `untested ${holdsData}`)].join(', ');
  };

  it('makes a doubt weigh, and nothing else', () => {
    expect(told(evidence({ tail: true }))).toBe('pass, tested');
    expect(told(evidence({}))).toBe('pass, warning disk-differs, untested true');
    expect(told(evidence({ checkpoints: { before: 4000, within: null, beyond: null } }))).toBe('pass, warning disk-later, untested true');
    expect(told(evidence({ checkpoints: { before: null, within: null, beyond: 9001 } }))).toBe('pass, warning disk-earlier, untested true');
    expect(told(evidence({ newest: null }))).toBe('pass, untested false');
    expect(told(evidence({ tail: null, newest: null }))).toBe('pass, untested false');
    expect(told(evidence({}, { others: true }))).toBe('pass, untested false');
    expect(told(evidence({ tail: true, checkpoints: { before: null, within: null, beyond: 9001 } }, { others: true }))).toBe('pass, tested');
  });
});
