/** The other end of the guest's network cards. This one only counts what the guest sends, and answers nothing. */
import type { Duplex } from 'node:stream';
import { LabError } from '../../../errors.js';
import type { GuestNetwork } from '../../lab.js';
import { FrameReader } from './framing.js';

/** @param cards one stream of frames for each card of the guest, each with its length before it (be32) */
export function attachNetwork(cards: Duplex[]): GuestNetwork {
  const network = new CountingNetwork();
  for (const card of cards) network.attach(card);
  return network;
}

class CountingNetwork implements GuestNetwork {
  readonly addresses = [];
  readonly frames: Record<string, number> = {};
  framesSent = 0;

  attach(card: Duplex): void {
    const reader = new FrameReader();
    card.on('error', () => undefined);
    card.on('data', (chunk: Buffer) => {
      const frames = reader.push(chunk);
      if (frames === null) card.destroy();
      else this.count(frames.length);
    });
  }

  async discover(): Promise<string[]> {
    return [];
  }

  async ping(): Promise<null> {
    return null;
  }

  connect(): Promise<never> {
    return Promise.reject(new LabError({ code: 'network.silent', message: 'Nothing is asked of the guest on this network.' }));
  }

  async ask(): Promise<null> {
    return null;
  }

  private count(frames: number): void {
    this.framesSent += frames;
    this.frames.other = this.framesSent;
  }
}
