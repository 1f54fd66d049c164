/** The guest's network cards on this side: a Unix socket for each, and nothing else anywhere. */
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { PlacedDevices } from './devices.js';
import { connectLine } from './lines.js';

export interface CardPlan {
  /** JSON descriptions for `-netdev`. */
  netdevs: Record<string, unknown>[];
  /** Opens this side of every card, once QEMU runs. */
  connect(): Promise<Duplex[]>;
}

/** Cards whose other end is a socket, or a hub with nobody else on it. */
export function planCards(cards: PlacedDevices['cards'], connected: boolean, folder: string): CardPlan {
  if (!connected) return { netdevs: cards.map(({ netdev }, index) => ({ type: 'hubport', id: netdev, hubid: index })), connect: async () => [] };
  const paths = cards.map(({ netdev }) => join(folder, netdev));
  const netdevs = cards.map(({ netdev }, index) => ({ type: 'stream', id: netdev, server: true, addr: { type: 'unix', path: paths[index] } }));
  return { netdevs, connect: () => Promise.all(paths.map(connectLine)) };
}
