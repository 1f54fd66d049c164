/**
 * global/pg_control: the root of a PostgreSQL cluster, 8192 bytes of which some 300 are used.
 * Layout: ControlFileData and CheckPoint in src/include/catalog/pg_control.h of each major version.
 * The CRC-32C follows the last field; where it lies is found by trying, so that unknown versions are still verified.
 */
import { crc32c } from '../../../src/bytes/crc32c.js';
import { FormatError } from '../../../src/errors.js';
import { readLsn } from './lsn.js';

export const CLUSTER_STATES = [
  'starting up',
  'shut down',
  'shut down in recovery',
  'shutting down',
  'in crash recovery',
  'in archive recovery',
  'in production',
] as const;
export type ClusterState = (typeof CLUSTER_STATES)[number] | 'unknown';

/** What pg_control says. LSNs and sizes are bytes; `checkpointTime` and `writtenAt` seconds since 1970. */
export interface ControlFile {
  systemId: string;
  controlVersion: number;
  catalogVersion: number;
  state: ClusterState;
  writtenAt: number;
  checkpoint: number;
  redo: number;
  timeline: number;
  fullPageWrites: boolean;
  checkpointTime: number;
  minRecoveryPoint: number;
  minRecoveryTimeline: number;
  backupStart: number;
  backupEnd: number;
  backupEndRequired: boolean;
  walLogHints: boolean;
  pageBytes: number;
  relationSegmentPages: number;
  walPageBytes: number;
  walSegmentBytes: number;
  /** Whether pages carry checksums. */
  checksums: boolean;
  /** As the last checkpoint noted them. Transaction numbers without their epoch: they go round at 2^32. */
  nextTransaction: number;
  oldestTransaction: number;
  /** The oldest one still running; 0: not noted. */
  oldestActiveTransaction: number;
  nextMultixact: number;
  oldestMultixact: number;
  nextMultixactOffset: number;
  /** 0: no commit times are kept. */
  oldestCommitTime: number;
  newestCommitTime: number;
  keepsCommitTimes: boolean;
}

export type ControlResult =
  | { kind: 'ok'; control: ControlFile }
  /** The bytes are not what the server wrote. */
  | { kind: 'damaged'; why: string }
  /** Intact, but from a version or processor we cannot read. */
  | { kind: 'unknown'; why: string };

const CRC_SEARCH = { from: 200, to: 512 };
const MIN_BYTES = 512;

/** Versions whose layout is known: control version -> first field after the copy of the checkpoint. */
const AFTER_CHECKPOINT: Record<number, number> = { 1100: 120, 1201: 128, 1300: 128, 1700: 128, 1800: 128 };

export function parseControl(bytes: Buffer): ControlResult {
  if (bytes.length < MIN_BYTES) return { kind: 'damaged', why: `pg_control is ${bytes.length} bytes long, 8192 are expected` };
  const version = bytes.readUInt32LE(8);
  if (looksSwapped(version)) return { kind: 'unknown', why: 'the cluster was written by a processor of the other byte order' };
  if (findCrc(bytes) === null) return { kind: 'damaged', why: 'the CRC of pg_control does not match its contents' };
  const after = AFTER_CHECKPOINT[version];
  if (after === undefined) return { kind: 'unknown', why: `pg_control has version ${version}, known are PostgreSQL 11 to 18` };
  try {
    return { kind: 'ok', control: readFields(bytes, version, after) };
  } catch (error) {
    if (error instanceof FormatError) return { kind: 'damaged', why: error.message };
    throw error;
  }
}

/** Versions are small numbers (1100..): swapped, their low half is zero. */
function looksSwapped(version: number): boolean {
  return version !== 0 && (version & 0xffff) === 0;
}

/** Offset at which the CRC-32C of everything before it stands, or null. */
export function findCrc(bytes: Buffer): number | null {
  for (let offset = CRC_SEARCH.from; offset + 4 <= CRC_SEARCH.to; offset += 4) {
    if (bytes.readUInt32LE(offset) === crc32c(bytes, 0, offset)) return offset;
  }
  return null;
}

function readFields(bytes: Buffer, controlVersion: number, after: number): ControlFile {
  const v11 = controlVersion === 1100;
  const sizes = v11 ? 208 : 216;
  if (bytes.readDoubleLE(sizes - 8) !== 1234567) throw damaged(`the floating-point mark at ${sizes - 8} is missing`);
  const control: ControlFile = {
    systemId: bytes.readBigUInt64LE(0).toString(),
    controlVersion,
    catalogVersion: bytes.readUInt32LE(12),
    state: CLUSTER_STATES[bytes.readUInt32LE(16)] ?? 'unknown',
    writtenAt: Number(bytes.readBigInt64LE(24)),
    checkpoint: readLsn(bytes, 32),
    redo: readLsn(bytes, 40),
    timeline: bytes.readUInt32LE(48),
    fullPageWrites: bytes[56] === 1,
    checkpointTime: Number(bytes.readBigInt64LE(v11 ? 96 : 104)),
    minRecoveryPoint: readLsn(bytes, after + 8),
    minRecoveryTimeline: bytes.readUInt32LE(after + 16),
    backupStart: readLsn(bytes, after + 24),
    backupEnd: readLsn(bytes, after + 32),
    backupEndRequired: bytes[after + 40] === 1,
    walLogHints: bytes[after + 48] === 1,
    pageBytes: bytes.readUInt32LE(sizes),
    relationSegmentPages: bytes.readUInt32LE(sizes + 4),
    walPageBytes: bytes.readUInt32LE(sizes + 8),
    walSegmentBytes: bytes.readUInt32LE(sizes + 12),
    checksums: bytes.readUInt32LE(sizes + 36) !== 0,
    ...readCounters(bytes, v11, after),
  };
  return checkSizes(control);
}

/** nextXid (with its epoch since 12), nextOid, nextMulti, nextMultiOffset, oldestXid, its database, oldestMulti, its database, the time, commit times, oldestActiveXid. */
function readCounters(bytes: Buffer, v11: boolean, after: number) {
  const first = 64; // 11: epoch at 60, then nextXid at 64; since 12: 64 bits at 64, the low half first
  const word = (place: number) => bytes.readUInt32LE(first + (v11 ? 0 : 4) + 4 * place);
  const times = v11 ? 104 : 112;
  return {
    nextTransaction: bytes.readUInt32LE(first),
    nextMultixact: word(2),
    nextMultixactOffset: word(3),
    oldestTransaction: word(4),
    oldestMultixact: word(6),
    oldestCommitTime: bytes.readUInt32LE(times),
    newestCommitTime: bytes.readUInt32LE(times + 4),
    oldestActiveTransaction: bytes.readUInt32LE(times + 8),
    keepsCommitTimes: bytes[after + (v11 ? 68 : 72)] === 1,
  };
}

/** Sizes steer loops and buffers: nothing but what the server can be built with is let through. */
function checkSizes(control: ControlFile): ControlFile {
  requirePower('page size', control.pageBytes, 1024, 32768);
  requirePower('log page size', control.walPageBytes, 1024, 65536);
  requirePower('log segment size', control.walSegmentBytes, 1 << 20, 1 << 30);
  const segmentBytes = control.pageBytes * control.relationSegmentPages;
  if (control.relationSegmentPages === 0 || !Number.isSafeInteger(segmentBytes)) throw damaged('the relation segment size is absurd');
  return control;
}

function requirePower(what: string, value: number, least: number, most: number): void {
  if (value < least || value > most || (value & (value - 1)) !== 0) throw damaged(`the ${what} is ${value}`);
}

function damaged(message: string): FormatError {
  return new FormatError({ code: 'postgresql.control', message: `pg_control is damaged: ${message}` });
}
