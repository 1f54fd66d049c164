/**
 * The guest's network cards on this side: a Unix socket for each, and nothing else anywhere.
 *
 * A saved virtio card mostly comes from a hypervisor that connected it by a tap device, and then insists on a connection that knows
 * virtio's packet headers. In QEMU only a tap is one. So a resumed card gets a tap, in the sandbox's own network namespace, where
 * it leads nowhere and stays down; its packets are taken off and put on by filters before they reach it.
 */
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { MachineRequest } from '../lab.js';
import type { ServerRequest } from '../sandbox/index.js';
import type { PlacedDevices } from './devices.js';
import { connectLine } from './lines.js';
import { TapCard } from './tap-card.js';
import { makingTaps, TUN } from './taps.js';

type Card = PlacedDevices['cards'][number];
type Command = Pick<ServerRequest, 'tool' | 'args' | 'capabilities'>;

export interface CardPlan {
  /** JSON descriptions for `-netdev`. A card whose netdev is not among them must be given none. */
  netdevs: Record<string, unknown>[];
  /** Options of QEMU for what stands between card and connection. */
  extra: string[];
  devices: string[];
  /** QEMU's own command, with what must be done before it. */
  around(command: Command): Command;
  /** Opens this side of every card that is connected, once QEMU runs. */
  connect(): Promise<Duplex[]>;
}

/** More than one queue: QEMU's filters know only one, so such a card has nobody on its other end. */
const hasFilters = (card: Card) => card.queues === 1;

/** Whether a card was probably connected by a tap. */
export function wantsTap(card: Card, way: MachineRequest['way']): boolean {
  return way === 'resume' && card.driver.startsWith('virtio-net');
}

/** @param canTap whether taps can be made here */
export function planCards(cards: Card[], request: Pick<MachineRequest, 'way' | 'network'>, folder: string, canTap: boolean): CardPlan {
  const tapped = canTap ? cards.filter((card) => wantsTap(card, request.way)) : [];
  const parts = cards.map((card) => (tapped.includes(card) ? tapCard(card, request.network, folder) : plainCard(card, request.network, folder)));
  return {
    netdevs: parts.flatMap(({ netdev }) => (netdev ? [netdev] : [])),
    extra: parts.flatMap(({ extra }) => extra),
    devices: tapped.length > 0 ? [TUN] : [],
    around: (command) => (tapped.length > 0 ? afterTaps(command, tapped) : command),
    connect: () => Promise.all(parts.flatMap(({ connect }) => (connect ? [connect()] : []))),
  };
}

interface CardPart {
  netdev: Record<string, unknown> | null;
  extra: string[];
  connect: (() => Promise<Duplex>) | null;
}

/** Its other end is a socket, or nothing: then QEMU drops what it sends. A hub with nobody on it would not, and the guest would wait for ever. */
function plainCard({ netdev }: Card, connected: boolean, folder: string): CardPart {
  if (!connected) return { netdev: null, extra: [], connect: null };
  const path = join(folder, netdev);
  return { netdev: { type: 'stream', id: netdev, server: true, addr: { type: 'unix', path } }, extra: [], connect: () => connectLine(path) };
}

function tapCard(card: Card, connected: boolean, folder: string): CardPart {
  const tap = { type: 'tap', id: card.netdev, ifname: interfaceOf(card), script: 'no', downscript: 'no', vnet_hdr: true };
  const netdev = card.queues === 1 ? tap : { ...tap, queues: card.queues };
  if (!connected || !hasFilters(card)) return { netdev, extra: [], connect: null };
  const [from, to] = [`${card.netdev}-from`, `${card.netdev}-to`];
  const line = (id: string) => ['-chardev', `socket,id=sp-${id},path=${join(folder, id).replaceAll(',', ',,')},server=on,wait=off`];
  const filter = (id: string, options: object) => [
    '-object',
    JSON.stringify({ 'qom-type': 'filter-redirector', id: `sp-filter-${id}`, netdev: card.netdev, vnet_hdr_support: true, ...options }),
  ];
  const extra = [...line(from), ...line(to), ...filter(from, { queue: 'rx', outdev: `sp-${from}` }), ...filter(to, { queue: 'tx', indev: `sp-${to}` })];
  const connect = async () => new TapCard(await connectLine(join(folder, from)), await connectLine(join(folder, to)));
  return { netdev, extra, connect };
}

function interfaceOf({ netdev }: Card): string {
  return `sp-${netdev}`;
}

/** QEMU's command after taps were made for it. */
function afterTaps(command: Command, cards: Card[]): Command {
  return makingTaps(
    cards.map((card) => ({ name: interfaceOf(card), severalQueues: card.queues > 1 })),
    command,
  );
}
