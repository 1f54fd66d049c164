/** Redo logs built from the published formats, for what no server at hand writes: MariaDB 10.5 and MySQL. */
import { crc32c } from '../../../src/bytes/crc32c.js';

const BLOCK = 512;
const HEADER = 4 * BLOCK;

/** One record: INIT, FREE or WRITE of a page. Small numbers only, so that each is one byte. */
export function record(kind: 'init' | 'free' | 'write', space: number, page: number): Buffer {
  return kind === 'write' ? Buffer.from([0x34, space, page, 60, 7]) : Buffer.from([kind === 'init' ? 0x12 : 0x02, space, page]);
}

/** A group of one record of MySQL 8: MLOG_WRITE_STRING with 40 bytes. Any other `type` is written with the same body. */
export function mysqlRecord(space: number, page: number, type = 30): Buffer {
  const body = Buffer.alloc(44, 0x5a);
  return Buffer.concat([Buffer.from([type | 0x80]), mysqlInteger(space), mysqlInteger(page), body]);
}

/** As MySQL compresses integers below 2^14, and the numbers of its own tablespaces close to 2^32. */
export function mysqlInteger(value: number): Buffer {
  if (value < 0x80) return Buffer.from([value]);
  if (value < 0x4000) return Buffer.from([0x80 | (value >> 8), value & 255]);
  return Buffer.from([0xf8 | ((value >>> 8) & 3), value & 255]);
}

/** A record of MySQL 5.7, whose body is as given. */
export function record57(type: number, space: number, page: number, body: number[] | Buffer = []): Buffer {
  return Buffer.concat([Buffer.from([type]), mysqlInteger(space), mysqlInteger(page), Buffer.from(body)]);
}

/** A mini-transaction of MySQL 5.7: one record says that it is alone, several are followed by a mark of their end. */
export function group57(...records: Buffer[]): Buffer {
  const bytes = Buffer.concat(records);
  if (records.length > 1) return Buffer.concat([bytes, Buffer.from([31])]);
  bytes[0] = (bytes[0] as number) | 0x80;
  return bytes;
}

/** MLOG_CHECKPOINT naming an LSN. */
export function checkpoint57(lsn: number): Buffer {
  const bytes = Buffer.alloc(9, 56);
  bytes.writeBigUInt64BE(BigInt(lsn), 1);
  return bytes;
}

/** FILE_CHECKPOINT naming an LSN. */
export function checkpointRecord(lsn: number): Buffer {
  const bytes = Buffer.from([0xfa, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  bytes.writeUInt32BE(Math.floor(lsn / 2 ** 32), 3);
  bytes.writeUInt32BE(lsn % 2 ** 32, 7);
  return bytes;
}

/** A mini-transaction of MariaDB 10.8 with its end byte and CRC. */
export function ringMtr(records: Buffer[], endByte: number): Buffer {
  const body = Buffer.concat(records);
  const tail = Buffer.alloc(5);
  tail[0] = endByte;
  tail.writeUInt32BE(crc32c(body), 1);
  return Buffer.concat([body, tail]);
}

/** A ring of MariaDB 10.8 whose first lap holds `payload` from `firstLsn` on. */
export function ringLog(firstLsn: number, capacity: number, payload: Buffer, checkpoint: { lsn: number; endLsn: number }): Buffer {
  const file = Buffer.alloc(12288 + capacity);
  file.writeUInt32BE(0x50687973, 0);
  file.writeBigUInt64BE(BigInt(firstLsn), 8);
  file.write('MariaDB 10.8.2', 16);
  file.writeUInt32BE(crc32c(file, 0, 508), 508);
  file.writeBigUInt64BE(BigInt(checkpoint.lsn), 4096);
  file.writeBigUInt64BE(BigInt(checkpoint.endLsn), 4104);
  file.writeUInt32BE(crc32c(file, 4096, 4156), 4156);
  payload.copy(file, 12288);
  return file;
}

export interface BlockLogPlan {
  /** 0x50485953 is MariaDB 10.5; 1 to 6 are MySQL's. */
  format: number;
  creator: string;
  files: number;
  fileBytes: number;
  /** LSN of the first byte after the first file's header; a multiple of 512. */
  startLsn: number;
  payload: Buffer;
  /** As a place in the payload. */
  checkpointAt: number;
  checkpointEndAt: number;
  /** Where groups of records begin, for payloads that are not made of `record`. */
  starts?: number[];
}

const lsnIn = (startLsn: number, at: number) => startLsn + Math.floor(at / 496) * BLOCK + 12 + (at % 496);

/** @returns the files, and the LSN of a place in the payload. */
export function blockLog(plan: BlockLogPlan): { files: Buffer[]; lsnOf(at: number): number } {
  const inFile = plan.fileBytes - HEADER;
  const files = Array.from({ length: plan.files }, () => Buffer.alloc(plan.fileBytes));
  const lsnOf = (at: number) => lsnIn(plan.startLsn, at);
  for (const [i, file] of files.entries()) writeHead(file, plan, plan.startLsn + i * inFile);
  const starts = plan.starts ?? groupStarts(plan.payload);
  for (let at = 0, block = 0; at < plan.payload.length; at += 496, block++) {
    const bytes = makeBlock(plan, at, block, starts);
    bytes.copy(files[Math.floor((block * BLOCK) / inFile)] as Buffer, HEADER + ((block * BLOCK) % inFile));
  }
  for (const place of [BLOCK, 3 * BLOCK]) writeCheckpoint(files[0] as Buffer, plan, place);
  return { files, lsnOf };
}

function makeBlock(plan: BlockLogPlan, at: number, block: number, starts: number[]): Buffer {
  const bytes = Buffer.alloc(BLOCK);
  const part = plan.payload.subarray(at, at + 496);
  bytes.writeUInt32BE(((plan.startLsn / BLOCK + block) % 0x40000000) + 1, 0);
  bytes.writeUInt16BE(part.length === 496 ? BLOCK : 12 + part.length, 4);
  const first = starts.find((start) => start >= at && start < at + 496);
  bytes.writeUInt16BE(first === undefined ? 0 : 12 + first - at, 6);
  part.copy(bytes, 12);
  bytes.writeUInt32BE(crc32c(bytes, 0, 508), 508);
  return bytes;
}

/** Where mini-transactions begin: after each end byte. Only for payloads made of `record` and a zero byte. */
function groupStarts(payload: Buffer): number[] {
  const starts = [0];
  for (let at = 0; at < payload.length; ) {
    const byte = payload[at] as number;
    if (byte <= 1) starts.push(++at);
    else at += 1 + (byte & 15);
  }
  return starts;
}

function writeHead(file: Buffer, plan: BlockLogPlan, startLsn: number): void {
  file.writeUInt32BE(plan.format, 0);
  file.writeBigUInt64BE(BigInt(startLsn), 8);
  file.write(plan.creator, 16);
  file.writeUInt32BE(crc32c(file, 0, 508), 508);
}

function writeCheckpoint(file: Buffer, plan: BlockLogPlan, at: number): void {
  const lsn = lsnIn(plan.startLsn, plan.checkpointAt);
  file.writeBigUInt64BE(5n, at);
  file.writeBigUInt64BE(BigInt(lsn), at + 8);
  file.writeBigUInt64BE(BigInt(HEADER + lsn - plan.startLsn), at + 16);
  file.writeBigUInt64BE(BigInt(lsnIn(plan.startLsn, plan.checkpointEndAt)), at + BLOCK - 16);
  file.writeUInt32BE(crc32c(file, at, at + 508), at + 508);
}
