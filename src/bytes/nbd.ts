/**
 * A read-only NBD client on a Unix socket: how the host reads what is not stored plainly (compressed clusters, overlays).
 * Protocol: https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md (fixed newstyle, NBD_OPT_GO, simple replies).
 * Written here because the published client speaks TCP only.
 */
import { createConnection, type Socket } from 'node:net';
import { FormatError, LabError } from '../errors.js';
import type { ByteSource } from '../types.js';
import { assertInside } from './range.js';

const INIT_MAGIC = 0x4e42444d41474943n; // "NBDMAGIC"
const OPTION_MAGIC = 0x49484156454f5054n; // "IHAVEOPT"
const OPTION_REPLY_MAGIC = 0x3e889045565a9n;
const REQUEST_MAGIC = 0x25609513;
const SIMPLE_REPLY_MAGIC = 0x67446698;
const OPT_GO = 7;
const REP_ACK = 1;
const REP_INFO = 3;
const INFO_EXPORT = 0;
const CMD_READ = 0;
const CMD_DISC = 2;
/** The protocol lets a server refuse more than 32 MiB in one request. */
const MAX_REQUEST_BYTES = 16 * 1024 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;

interface PendingRead {
  length: number;
  resolve(data: Buffer): void;
  reject(error: Error): void;
}

export class NbdSource implements ByteSource {
  private readonly pending = new Map<bigint, PendingRead>();
  private nextCookie = 1n;
  private failure: Error | null = null;

  private constructor(
    private readonly socket: Socket,
    private readonly reader: SocketReader,
    readonly sizeBytes: number,
  ) {
    void this.receive();
  }

  static async open(socketPath: string, exportName: string): Promise<NbdSource> {
    const socket = await connect(socketPath);
    const reader = new SocketReader(socket);
    try {
      const sizeBytes = await handshake(socket, reader, exportName);
      return new NbdSource(socket, reader, sizeBytes);
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }

  async read(offset: number, length: number): Promise<Buffer> {
    assertInside(offset, length, this.sizeBytes);
    const parts: Promise<Buffer>[] = [];
    for (let done = 0; done < length; done += MAX_REQUEST_BYTES) {
      parts.push(this.request(offset + done, Math.min(MAX_REQUEST_BYTES, length - done)));
    }
    const buffers = await Promise.all(parts);
    return buffers.length === 1 ? (buffers[0] as Buffer) : Buffer.concat(buffers);
  }

  async close(): Promise<void> {
    if (!this.failure) this.socket.write(requestFrame(CMD_DISC, 0n, 0, 0));
    this.fail(new LabError({ code: 'nbd.closed', message: 'the NBD connection was closed' }));
    this.socket.end();
    this.socket.destroy();
  }

  private request(offset: number, length: number): Promise<Buffer> {
    if (this.failure) return Promise.reject(this.failure);
    const cookie = this.nextCookie++;
    return new Promise((resolve, reject) => {
      this.pending.set(cookie, { length, resolve, reject });
      this.socket.write(requestFrame(CMD_READ, cookie, offset, length));
    });
  }

  private async receive(): Promise<void> {
    try {
      for (;;) {
        const header = await this.reader.take(16);
        if (header.readUInt32BE(0) !== SIMPLE_REPLY_MAGIC) throw new FormatError({ code: 'nbd.reply', message: 'the NBD server sent a reply that is not one' });
        const cookie = header.readBigUInt64BE(8);
        const read = this.pending.get(cookie);
        if (!read) throw new FormatError({ code: 'nbd.cookie', message: 'the NBD server answered a question nobody asked' });
        const errno = header.readUInt32BE(4);
        const data = errno === 0 ? await this.reader.take(read.length) : null;
        this.pending.delete(cookie);
        if (data) read.resolve(data);
        else read.reject(new LabError({ code: 'nbd.read', message: `reading the image failed with errno ${errno}: its data cannot be decoded` }));
      }
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private fail(error: Error): void {
    this.failure ??= error;
    for (const read of this.pending.values()) read.reject(error);
    this.pending.clear();
  }
}

function requestFrame(command: number, cookie: bigint, offset: number, length: number): Buffer {
  const frame = Buffer.alloc(28);
  frame.writeUInt32BE(REQUEST_MAGIC, 0);
  frame.writeUInt16BE(command, 6);
  frame.writeBigUInt64BE(cookie, 8);
  frame.writeBigUInt64BE(BigInt(offset), 16);
  frame.writeUInt32BE(length, 24);
  return frame;
}

function connect(socketPath: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path: socketPath });
    const timer = setTimeout(() => socket.destroy(new Error('no answer')), CONNECT_TIMEOUT_MS);
    const failed = (cause: Error) => {
      clearTimeout(timer);
      reject(new LabError({ code: 'nbd.connect', message: `cannot reach the block server at ${socketPath}: ${cause.message}`, cause }));
    };
    socket.once('error', failed);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', failed);
      resolve(socket);
    });
  });
}

/** Negotiates one export; gives its size in bytes. */
async function handshake(socket: Socket, reader: SocketReader, exportName: string): Promise<number> {
  const greeting = await reader.take(18);
  if (greeting.readBigUInt64BE(0) !== INIT_MAGIC || greeting.readBigUInt64BE(8) !== OPTION_MAGIC) {
    throw new FormatError({ code: 'nbd.greeting', message: 'what answers on the socket is no NBD server' });
  }
  const flags = Buffer.alloc(4);
  flags.writeUInt32BE(greeting.readUInt16BE(16) & 0b11, 0); // fixed newstyle, no zeroes: only what the server offers
  socket.write(Buffer.concat([flags, goOption(exportName)]));
  return awaitExportSize(reader, exportName);
}

function goOption(exportName: string): Buffer {
  const name = Buffer.from(exportName);
  const head = Buffer.alloc(16 + 4);
  head.writeBigUInt64BE(OPTION_MAGIC, 0);
  head.writeUInt32BE(OPT_GO, 8);
  head.writeUInt32BE(4 + name.length + 2, 12);
  head.writeUInt32BE(name.length, 16);
  return Buffer.concat([head, name, Buffer.alloc(2)]);
}

async function awaitExportSize(reader: SocketReader, exportName: string): Promise<number> {
  let sizeBytes: number | null = null;
  for (;;) {
    const head = await reader.take(20);
    const type = head.readUInt32BE(12);
    const data = await reader.take(head.readUInt32BE(16));
    if (head.readBigUInt64BE(0) !== OPTION_REPLY_MAGIC)
      throw new FormatError({ code: 'nbd.option', message: 'the NBD server sent an option reply that is not one' });
    if (type === REP_INFO && data.length >= 10 && data.readUInt16BE(0) === INFO_EXPORT) sizeBytes = Number(data.readBigUInt64BE(2));
    else if (type === REP_ACK) break;
    else if (type & 0x80000000) throw new LabError({ code: 'nbd.export', message: `the block server has no export "${exportName}": ${data.toString()}` });
  }
  if (sizeBytes === null) throw new FormatError({ code: 'nbd.size', message: 'the NBD server did not say how large the export is' });
  return sizeBytes;
}

/** Takes exact lengths off a socket, in order. */
class SocketReader {
  private chunks: Buffer[] = [];
  private available = 0;
  private waiting: { length: number; resolve(data: Buffer): void; reject(error: Error): void } | null = null;
  private ended: Error | null = null;

  constructor(socket: Socket) {
    socket.on('data', (chunk) => {
      this.chunks.push(chunk);
      this.available += chunk.length;
      this.serve();
    });
    const end = (error?: Error) => {
      this.ended ??= new LabError({ code: 'nbd.lost', message: 'the block server ended the connection', cause: error });
      this.waiting?.reject(this.ended);
      this.waiting = null;
    };
    socket.on('error', end);
    socket.on('close', () => end());
  }

  take(length: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.ended && this.available < length) return reject(this.ended);
      this.waiting = { length, resolve, reject };
      this.serve();
    });
  }

  private serve(): void {
    if (!this.waiting || this.available < this.waiting.length) return;
    const { length, resolve } = this.waiting;
    this.waiting = null;
    const all = this.chunks.length === 1 ? (this.chunks[0] as Buffer) : Buffer.concat(this.chunks);
    this.chunks = all.length > length ? [all.subarray(length)] : [];
    this.available -= length;
    resolve(all.subarray(0, length));
  }
}
