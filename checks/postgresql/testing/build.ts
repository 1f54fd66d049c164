/** Control files and log built from the published formats, for what no server would write. */
import { crc32c } from '../../../src/bytes/crc32c.js';

const PAGE = 8192;

export interface ControlChoices {
  redo?: number;
  checkpoint?: number;
  systemId?: bigint;
  /** Default 3. */
  timeline?: number;
  /** As in `CLUSTER_STATES`; default 6, in production. */
  state?: number;
  /** Page size, pages of a relation segment, log page size, log segment size. */
  sizes?: [number, number, number, number];
}

/** A control file of PostgreSQL 11 and later, with what the parser looks at. */
export function controlBytes(version: number, choices: ControlChoices = {}): Buffer {
  const v11 = version === 1100;
  const bytes = Buffer.alloc(8192);
  bytes.writeBigUInt64LE(choices.systemId ?? 7000000000000000001n, 0);
  bytes.writeUInt32LE(version, 8);
  bytes.writeUInt32LE(choices.state ?? 6, 16);
  bytes.writeBigUInt64LE(BigInt(choices.checkpoint ?? 0x1_4a000060), 32);
  bytes.writeBigUInt64LE(BigInt(choices.redo ?? 0x1_4a000028), 40);
  bytes.writeUInt32LE(choices.timeline ?? 3, 48);
  const sizes = v11 ? 208 : 216;
  bytes.writeDoubleLE(1234567, sizes - 8);
  for (const [at, value] of (choices.sizes ?? [8192, 131072, 8192, 16777216]).entries()) bytes.writeUInt32LE(value, sizes + 4 * at);
  bytes.writeUInt32LE(1, sizes + 36);
  const crcAt = v11 ? 280 : version === 1800 ? 292 : 288;
  bytes.writeUInt32LE(crc32c(bytes, 0, crcAt), crcAt);
  return bytes;
}

/** Writes log as the server does: records of given payload lengths, across pages, from the start of a segment on. */
export class LogWriter {
  readonly bytes: Buffer;
  readonly starts: number[] = [];
  private at = 0;
  private previous = 0;

  /** @param base LSN of the first byte. */
  constructor(
    private readonly base: number,
    private readonly systemId = 77n,
    private readonly segmentBytes = 1 << 20,
    /** How much of the segment is made. */
    madeBytes = segmentBytes,
  ) {
    this.bytes = Buffer.alloc(madeBytes);
    this.openPage(0);
  }

  add(payloadBytes: number): void {
    this.record(10, 0, Buffer.alloc(payloadBytes, payloadBytes & 255));
  }

  /** @param manager resource manager, 0 is the log's own; @param info its operation, 0x10 of the log's own is a checkpoint. */
  record(manager: number, info: number, payload: Buffer): void {
    const record = Buffer.concat([Buffer.alloc(24), payload]);
    record.writeUInt8(info, 16);
    record.writeUInt32LE(record.length, 0);
    record.writeBigUInt64LE(BigInt(this.previous), 8);
    record.writeUInt8(manager, 17);
    record.writeUInt32LE(crc32c(record, 0, 20, crc32c(record, 24)), 20);
    if (this.at % PAGE === 0) this.openPage(0);
    this.previous = this.base + this.at;
    this.starts.push(this.previous);
    for (let done = 0; done < record.length; ) {
      if (this.at % PAGE === 0) this.openPage(record.length - done);
      const fits = Math.min(record.length - done, PAGE - (this.at % PAGE));
      record.copy(this.bytes, this.at, done, done + fits);
      done += fits;
      this.at += fits;
    }
    this.at = Math.ceil(this.at / 8) * 8;
  }

  get end(): number {
    return this.base + this.at;
  }

  private openPage(remaining: number): void {
    const long = this.at === 0;
    this.bytes.writeUInt16LE(0xd110, this.at);
    this.bytes.writeUInt16LE((long ? 2 : 0) | (remaining > 0 ? 1 : 0), this.at + 2);
    this.bytes.writeUInt32LE(1, this.at + 4);
    this.bytes.writeBigUInt64LE(BigInt(this.base + this.at), this.at + 8);
    this.bytes.writeUInt32LE(remaining, this.at + 16);
    if (long) {
      this.bytes.writeBigUInt64LE(this.systemId, 24);
      this.bytes.writeUInt32LE(this.segmentBytes, 32);
      this.bytes.writeUInt32LE(PAGE, 36);
    }
    this.at += long ? 40 : 24;
  }
}
