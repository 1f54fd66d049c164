/** Restore points that snapproof makes itself, in a few megabytes and without a guest: one that is sound, and some that are damaged in one way each. */
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Crc64 } from '../../bytes/crc64.js';
import { LabError } from '../../errors.js';
import { runTool } from '../../process/run-tool.js';
import type { WorkFolder } from '../../process/work-folder.js';

/** What a control is, and what has to come of it. */
export interface Control {
  name: string;
  damage: string;
  expected: 'passed' | 'failed';
  /** Codes of findings that show that it was rejected for its own damage: one of them. */
  codes: string[];
  /** @param folder empty; gets the files of the restore point. */
  make(folder: string, tools: ControlTools): Promise<void>;
}

export interface ControlTools {
  workFolder: WorkFolder;
  signal: AbortSignal;
}

export const CONTROLS: Control[] = [
  { name: 'sound', damage: 'none', expected: 'passed', codes: [], make: (folder, tools) => makeDisk(folder, tools, {}) },
  {
    name: 'image-truncated',
    damage: 'a qcow2 image that lost its second half',
    expected: 'failed',
    codes: ['image.truncated'],
    make: truncatedImage,
  },
  {
    name: 'sqlite-page',
    damage: 'a page of the b-tree of an SQLite database was overwritten',
    expected: 'failed',
    codes: ['sqlite.page.structure', 'sqlite.page.kind'],
    make: (folder, tools) => makeDisk(folder, tools, { database: damagePage }),
  },
  {
    name: 'redis-value',
    damage: 'a value in a snapshot of Redis was changed behind its checksum',
    expected: 'failed',
    codes: ['redis.rdb.checksum'],
    make: (folder, tools) => makeDisk(folder, tools, { snapshot: (bytes) => bytes.fill('X', 20, 24) }),
  },
  {
    name: 'ext4-inodes',
    damage: 'the inodes of an ext4 file system were overwritten',
    expected: 'failed',
    codes: ['filesystem.structure', 'filesystem.mount', 'filesystem.kernel'],
    make: overwrittenInodes,
  },
];

interface Damages {
  database?: (bytes: Buffer) => void;
  snapshot?: (bytes: Buffer) => void;
}

const DISK_BYTES = 16 * 2 ** 20;
const TOOL_TIMEOUT_MS = 60_000;

/** A disk with one ext4 that holds an SQLite database and a snapshot of Redis. */
async function makeDisk(folder: string, tools: ControlTools, damages: Damages): Promise<void> {
  const tree = `${folder}.tree`;
  mkdirSync(join(tree, 'srv/redis'), { recursive: true });
  const database = join(tree, 'srv/app.db');
  makeDatabase(database);
  rewrite(database, damages.database);
  const snapshot = join(tree, 'srv/redis/dump.rdb');
  writeFileSync(snapshot, redisSnapshot());
  rewrite(snapshot, damages.snapshot);
  await runOrFail('mke2fs', ['-q', '-t', 'ext4', '-d', tree, join(folder, 'disk.raw'), `${DISK_BYTES / 1024}k`], tools);
}

function makeDatabase(path: string): void {
  const database = new Database(path);
  try {
    database.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL)');
    const insert = database.prepare('INSERT INTO orders (customer) VALUES (?)');
    database.transaction(() => {
      for (let i = 0; i < 2000; i++) insert.run(`customer ${i} ${'-'.repeat(40)}`);
    })();
  } finally {
    database.close();
  }
}

/** A page in the middle: one of the table's, which begins with its kind (SQLite's file format, section 1.6). */
function damagePage(bytes: Buffer): void {
  const pageBytes = bytes.readUInt16BE(16);
  const page = Math.floor(bytes.length / pageBytes / 2);
  bytes.fill(0x5a, page * pageBytes, page * pageBytes + 512);
}

/** Version 9 of the format: one database with one key, and the CRC-64 of all before it. */
export function redisSnapshot(): Buffer {
  const body = Buffer.concat([
    Buffer.from('REDIS0009', 'latin1'),
    Buffer.from([0xfe, 0x00, 0xfb, 0x01, 0x00, 0x00]),
    Buffer.from('\x03key\x0avalue12345', 'latin1'),
    Buffer.from([0xff]),
  ]);
  const crc = new Crc64();
  crc.update(body);
  return Buffer.concat([body, Buffer.from(crc.value, 'hex').reverse()]);
}

async function truncatedImage(folder: string, tools: ControlTools): Promise<void> {
  const whole = `${folder}.whole`;
  mkdirSync(whole);
  await makeDisk(whole, tools, {});
  const image = join(folder, 'disk.qcow2');
  await runOrFail('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', join(whole, 'disk.raw'), image], tools);
  truncateSync(image, Math.floor(statSync(image).size / 2 / 65_536) * 65_536);
}

/** The table of the first group: its place stands in the group's descriptor (ext4's documentation, "Block Group Descriptors", offset 8). */
async function overwrittenInodes(folder: string, tools: ControlTools): Promise<void> {
  await makeDisk(folder, tools, {});
  const path = join(folder, 'disk.raw');
  const head = readFileSync(path).subarray(0, 16_384);
  const blockBytes = 1024 << head.readUInt32LE(1024 + 24);
  const descriptors = blockBytes === 1024 ? 2048 : blockBytes;
  const table = head.readUInt32LE(descriptors + 8);
  const file = openSync(path, 'r+');
  try {
    writeSync(file, Buffer.alloc(8192, 0x5a), 0, 8192, table * blockBytes);
  } finally {
    closeSync(file);
  }
}

function rewrite(path: string, damage: ((bytes: Buffer) => void) | undefined): void {
  if (!damage) return;
  const bytes = readFileSync(path);
  damage(bytes);
  writeFileSync(`${path}.new`, bytes);
  renameSync(`${path}.new`, path);
}

async function runOrFail(tool: string, args: string[], { workFolder, signal }: ControlTools): Promise<void> {
  const { exitCode, stderr } = await runTool({ tool, args, timeoutMs: TOOL_TIMEOUT_MS, workFolder, signal });
  if (exitCode !== 0) throw new LabError({ code: 'drill.control', message: `${tool} could not make it: ${stderr.trim().slice(-300)}` });
}
