/** Packets on a stream, each after two lengths (be32): that of the packet, and that of the header it begins with. */
import { MAX_FRAME_BYTES } from './network/framing.js';

export interface Packet {
  headerBytes: number;
  bytes: Buffer;
}

const LENGTHS_BYTES = 8;
const MAX_HEADER_BYTES = 64;

export class PacketReader {
  private rest = Buffer.alloc(0);

  /** The packets that are whole now; null when the stream cannot be followed any more. Holds less than one packet. */
  push(chunk: Buffer): Packet[] | null {
    const bytes = Buffer.concat([this.rest, chunk]);
    const packets: Packet[] = [];
    let at = 0;
    while (bytes.length - at >= LENGTHS_BYTES) {
      const [length, headerBytes] = [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)];
      if (length > MAX_FRAME_BYTES || headerBytes > MAX_HEADER_BYTES) return null;
      if (bytes.length - at - LENGTHS_BYTES < length) break;
      packets.push({ headerBytes, bytes: bytes.subarray(at + LENGTHS_BYTES, at + LENGTHS_BYTES + length) });
      at += LENGTHS_BYTES + length;
    }
    this.rest = Buffer.from(bytes.subarray(at));
    return packets;
  }
}
