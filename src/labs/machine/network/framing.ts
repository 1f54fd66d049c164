/**
 * Frames on a stream, as QEMU's `-netdev stream` sends them (net/stream.c): the length as be32, then the Ethernet frame.
 */

/** QEMU's own buffer for one frame (NET_BUFSIZE): no card can send more. */
export const MAX_FRAME_BYTES = 69_632;

export class FrameReader {
  private chunks: Buffer[] = [];
  private waitingBytes = 0;
  private neededBytes = 4;

  /** The frames that are whole now; null when the stream cannot be followed any more. Holds less than one frame. */
  push(chunk: Buffer): Buffer[] | null {
    this.chunks.push(chunk);
    this.waitingBytes += chunk.length;
    if (this.waitingBytes < this.neededBytes) return [];
    const bytes = Buffer.concat(this.chunks);
    const frames: Buffer[] = [];
    let at = 0;
    this.neededBytes = 4;
    while (bytes.length - at >= 4) {
      const length = bytes.readUInt32BE(at);
      if (length > MAX_FRAME_BYTES) return null;
      this.neededBytes = 4 + length;
      if (bytes.length - at < this.neededBytes) break;
      frames.push(bytes.subarray(at + 4, at + this.neededBytes));
      at += this.neededBytes;
      this.neededBytes = 4;
    }
    this.keep(Buffer.from(bytes.subarray(at)));
    return frames;
  }

  private keep(rest: Buffer): void {
    this.chunks = rest.length > 0 ? [rest] : [];
    this.waitingBytes = rest.length;
  }
}

/** A frame with its length before it. */
export function framed(frame: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(frame.length);
  return Buffer.concat([head, frame]);
}
