/**
 * A card behind QEMU's redirecting filters, as a stream of frames like any other card's. The filters put two lengths before each
 * packet (be32: all of it, and virtio's header at its beginning; net/filter-mirror.c), and a packet may be longer than a frame and
 * lack its checksum, because a tap would have seen to both (virtio 1.2, 5.1.6).
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { FrameReader, framed } from './network/framing.js';
import { PacketReader } from './packet-reader.js';

/** What is kept for a reader that does not come; beyond it packets are lost, as on any network. QEMU itself must never wait. */
const MAX_WAITING_BYTES = 4 * 2 ** 20;
const NEEDS_CHECKSUM = 1;
/** With the number of buffers, as all but the oldest drivers have it. */
const USUAL_HEADER_BYTES = 12;

export class TapCard extends Duplex {
  private readonly packets = new PacketReader();
  private readonly frames = new FrameReader();
  private headerBytes = USUAL_HEADER_BYTES;

  /** @param from packets of the guest come here @param to packets for the guest go there */
  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
  ) {
    super({ highWaterMark: MAX_WAITING_BYTES });
    from.on('data', (chunk: Buffer) => this.receive(chunk));
    for (const socket of [from, to]) socket.on('close', () => this.destroy());
  }

  override _read(): void {
    // What comes is pushed when it comes.
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    const frames = this.frames.push(chunk);
    for (const frame of frames ?? []) this.to.write(packet(frame, this.headerBytes));
    done(frames === null ? new Error('a frame is longer than any card takes') : undefined);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.from.destroy();
    this.to.destroy();
    done(error);
  }

  private receive(chunk: Buffer): void {
    const packets = this.packets.push(chunk);
    if (packets === null) {
      this.destroy();
      return;
    }
    for (const { headerBytes, bytes } of packets) {
      this.headerBytes = headerBytes;
      const frame = frameOf(bytes, headerBytes);
      if (frame && this.readableLength < MAX_WAITING_BYTES) this.push(framed(frame));
    }
  }
}

function packet(frame: Buffer, headerBytes: number): Buffer {
  const head = Buffer.alloc(8 + headerBytes);
  head.writeUInt32BE(headerBytes + frame.length, 0);
  head.writeUInt32BE(headerBytes, 4);
  return Buffer.concat([head, frame]);
}

/** The frame without virtio's header, its checksum made good. Null for one whose header points outside of it. */
export function frameOf(bytes: Buffer, headerBytes: number): Buffer | null {
  if (headerBytes < 10 || bytes.length <= headerBytes) return headerBytes === 0 ? bytes : null;
  const frame = Buffer.from(bytes.subarray(headerBytes));
  if (((bytes[0] ?? 0) & NEEDS_CHECKSUM) === 0) return frame;
  const start = bytes.readUInt16LE(6);
  const place = start + bytes.readUInt16LE(8);
  if (start >= frame.length || place + 2 > frame.length) return null;
  frame.writeUInt16BE(internetChecksum(frame.subarray(start)), place);
  return frame;
}

/** RFC 1071. The field itself holds the sum of the pseudo header. A sum of nought is written as its complement, as UDP wants it. */
function internetChecksum(bytes: Buffer): number {
  let sum = 0;
  for (let at = 0; at + 1 < bytes.length; at += 2) sum += bytes.readUInt16BE(at);
  if (bytes.length % 2 === 1) sum += (bytes.at(-1) ?? 0) << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff || 0xffff;
}
