/** The state of NTFS as captured: the flags of $Volume and the restart pages of $LogFile. */
import type { ByteSource, CaptureState, Facts } from '../../types.js';
import { readWithin, textField, toSafeNumber } from '../reading.js';
import { findAttribute, type NtfsGeometry, readFileRecord, readGeometry, undoFixups } from './records.js';

const LOG_FILE_RECORD = 2;
const VOLUME_RECORD = 3;
const VOLUME_NAME = 0x60;
const VOLUME_INFORMATION = 0x70;
const DATA = 0x80;
const VOLUME_DIRTY = 0x1;
const NO_CLIENT = 0xffff;
const RESTART_VOLUME_IS_CLEAN = 0x2;
const RESTART_PAGE_BYTES = 4096;

export interface NtfsVolumeInformation {
  version: string;
  flags: number;
}

/** `empty`: filled with 0xFF, as after formatting or a reset. */
type LogState = 'clean' | 'in use' | 'empty' | 'unreadable';

/** Facts: `dirty`, `logFile`, `ntfsVersion`, `logSizeBytes`. How much of the log must be replayed cannot be told from the restart pages. */
export async function readNtfsState(source: ByteSource): Promise<CaptureState> {
  const boot = await readWithin(source, 0, 512);
  const geometry = boot && readGeometry(boot);
  const volume = geometry && (await readFileRecord(source, geometry, VOLUME_RECORD));
  const information = volume && volumeInformation(volume, geometry);
  if (!geometry || !information) return { state: 'damaged', why: 'the record of $Volume in the master file table cannot be read', facts: {} };
  const log = await readLogState(source, geometry);
  const dirty = (information.flags & VOLUME_DIRTY) !== 0;
  const facts: Facts = { dirty, volumeFlags: information.flags, logFile: log.state, logSizeBytes: log.sizeBytes, ntfsVersion: information.version };
  if (log.state === 'unreadable') return { state: 'damaged', why: 'the restart pages of $LogFile cannot be read: Windows could not replay it', facts };
  if (log.state === 'in use') return { state: 'needs-replay', why: '$LogFile was in use: Windows replays it when it mounts the volume', facts };
  if (dirty) return { state: 'needs-replay', why: 'the volume is marked dirty: Windows checks it at the next start', facts };
  return { state: 'clean', why: '$LogFile is closed and the volume is not marked dirty', facts };
}

/** Label of the volume, from its own record; null when it has none or cannot be read. */
export async function readNtfsLabel(source: ByteSource): Promise<string | null> {
  const boot = await readWithin(source, 0, 512);
  const geometry = boot && readGeometry(boot);
  const record = geometry && (await readFileRecord(source, geometry, VOLUME_RECORD));
  const name = record && findAttribute(record, geometry, VOLUME_NAME)?.value;
  return name ? textField(name, 0, name.length, 'utf16le') : null;
}

function volumeInformation(record: Buffer, geometry: NtfsGeometry): NtfsVolumeInformation | null {
  const value = findAttribute(record, geometry, VOLUME_INFORMATION)?.value;
  if (!value || value.length < 12) return null;
  return { version: `${value.readUInt8(8)}.${value.readUInt8(9)}`, flags: value.readUInt16LE(10) };
}

async function readLogState(source: ByteSource, geometry: NtfsGeometry): Promise<{ state: LogState; sizeBytes: number }> {
  const record = await readFileRecord(source, geometry, LOG_FILE_RECORD);
  const run = record && findAttribute(record, geometry, DATA)?.firstRun;
  if (!run) return { state: 'unreadable', sizeBytes: 0 };
  const pages = await Promise.all([0, RESTART_PAGE_BYTES].map((at) => readWithin(source, run.offset + at, RESTART_PAGE_BYTES)));
  const restarts = pages.map((page) => page && readRestart(page)).filter((page) => page !== null);
  const newest = restarts.sort((a, b) => b.lsn - a.lsn)[0];
  return { state: newest?.state ?? 'unreadable', sizeBytes: run.lengthBytes };
}

/** Two restart pages alternate; the one with the higher LSN is the newer. */
function readRestart(page: Buffer): { lsn: number; state: LogState } | null {
  if (page.every((byte) => byte === 0xff)) return { lsn: 0, state: 'empty' };
  const magic = page.toString('latin1', 0, 4);
  if ((magic !== 'RSTR' && magic !== 'CHKD') || !undoFixups(page)) return null;
  const area = page.readUInt16LE(0x18);
  if (area + 16 > page.length) return null;
  const closed = page.readUInt16LE(area + 12) === NO_CLIENT || (page.readUInt16LE(area + 14) & RESTART_VOLUME_IS_CLEAN) !== 0;
  return { lsn: toSafeNumber(page.readBigUInt64LE(area)), state: closed ? 'clean' : 'in use' };
}
