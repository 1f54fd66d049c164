/** One card of the guest: the stream of its frames. A guest that floods it is slowed down, as a slow switch would. */
import type { Duplex } from 'node:stream';
import { FrameReader, framed } from './framing.js';

/** What may wait to be taken by QEMU; frames beyond it are dropped, as on any network. */
const MAX_WAITING_BYTES = 1024 * 1024;
const SLICE_MS = 100;
const FRAMES_PER_SLICE = 5000;

export interface LinkEvents {
  frame(frame: Buffer, link: Link): void;
  /** The stream cannot be followed any more: a frame longer than any card sends. */
  broken(link: Link): void;
}

export class Link {
  private readonly reader = new FrameReader();
  private frames = 0;
  private slice: NodeJS.Timeout | null = null;
  /** Frames that were not sent because the guest does not take what was sent before. */
  dropped = 0;
  closed = false;

  constructor(
    private readonly socket: Duplex,
    private readonly events: LinkEvents,
  ) {
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('error', () => this.close());
    socket.on('end', () => this.close());
    socket.on('close', () => this.close());
  }

  send(frame: Buffer): void {
    if (this.closed || !this.socket.writable) return;
    if (this.socket.writableLength > MAX_WAITING_BYTES) this.dropped++;
    else this.socket.write(framed(frame));
  }

  close(): void {
    this.closed = true;
    if (this.slice) clearTimeout(this.slice);
    this.socket.destroy();
  }

  private receive(chunk: Buffer): void {
    if (this.closed) return;
    const frames = this.reader.push(chunk);
    if (frames === null) {
      this.close();
      this.events.broken(this);
      return;
    }
    for (const frame of frames) this.events.frame(frame, this);
    this.frames += frames.length;
    if (this.frames > FRAMES_PER_SLICE) this.socket.pause();
    if (frames.length > 0) this.slice ??= setTimeout(() => this.nextSlice(), SLICE_MS).unref();
  }

  private nextSlice(): void {
    this.slice = null;
    this.frames = 0;
    if (!this.closed) this.socket.resume();
  }
}
