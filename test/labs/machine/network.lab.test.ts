/** The guest's cards lead to this process or to nobody, whatever they were connected to when the machine was saved. */
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Machine } from '../../../src/labs/lab.js';
import { framed } from '../../../src/labs/machine/network/framing.js';
import { descendantsOf } from '../../../src/process/proc.js';
import type { MachineDescription } from '../../../src/ways.js';
import { type Bench, counted, lookUntil, openBench, PC } from './bench.js';
import { runSource, savedMemory } from './saved.js';

const cards: Duplex[] = [];
vi.mock('../../../src/labs/machine/network/index.js', async (original) => {
  const real = await original<typeof import('../../../src/labs/machine/network/index.js')>();
  const attachNetwork = (attached: Duplex[]) => {
    cards.push(...attached);
    return real.attachNetwork(attached);
  };
  return { attachNetwork };
});

const HARDWARE: MachineDescription = {
  ...PC,
  devices: [
    { driver: 'VGA', addr: '0x2' },
    { driver: 'virtio-blk-pci', drive: 'disk0', addr: '0x3' },
    { driver: 'virtio-net-pci', netdev: 'net0', addr: '0x4', mac: '52:54:00:00:00:01' },
  ],
};
const HEARD = { address: 0xb00a, count: 0xa002, taken: 0xe002 };
let bench: Bench;
let path: string;

beforeAll(async () => {
  bench = await openBench('sender');
  const source = await runSource(HARDWARE, [bench.image], ['-netdev', 'tap,id=net0,ifname=t0,script=no,downscript=no,vnet_hdr=on'], ['unshare', '-rn']);
  while ((await source.read(HEARD.taken, 2)).readUInt16LE(0) < 10) await sleep(100);
  path = await source.save();
  await source.end();
});
afterAll(async () => {
  await bench.close();
  await rm(dirname(path), { recursive: true });
});

const start = async (way: 'boot' | 'resume', network: boolean): Promise<Machine> => {
  const memory = way === 'resume' ? savedMemory(path) : null;
  const machine = await bench.session.start({ way, description: HARDWARE, memory, network }, AbortSignal.timeout(60_000));
  await machine.run();
  return machine;
};
const taken = async (machine: Machine) => (await machine.readMemory(HEARD.taken, 2)).readUInt16LE(0);

/** Interfaces of the network namespace in which QEMU runs. */
function interfacesOfQemu(): string[] {
  const qemu = descendantsOf(process.pid).filter((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('qemu-system'));
  expect(qemu).toHaveLength(1);
  return [...readFileSync(`/proc/${qemu[0]}/net/dev`, 'utf8').matchAll(/^\s*(\S+):/gm)].map(([, name]) => name ?? '');
}

describe.each(['boot', 'resume'] as const)('a guest with a card, after %s', (way) => {
  it('sends to nobody when nothing is connected', async () => {
    const machine = await start(way, false);
    await lookUntil(machine, () => true);
    await vi.waitUntil(async () => (await taken(machine)) > 20, { timeout: 15_000 });
    expect(machine.network).toBeNull();
    expect(await machine.look()).toMatchObject({ framesSent: null });
    expect(interfacesOfQemu()).toEqual(way === 'boot' ? ['lo'] : ['lo', 'sp-net0']);
    expect((await machine.readMemory(HEARD.count, 2)).readUInt16LE(0), 'frames that it received').toBe(0);
    await machine.discard();
  });

  it('sends to this process, and hears it, when it is connected', async () => {
    const machine = await start(way, true);
    const look = await lookUntil(machine, ({ framesSent }) => (framesSent ?? 0) > 5);
    expect(look.framesSent).toBeLessThanOrEqual(await counted(machine));
    const card = cards.at(-1);
    const seen = new Promise<Buffer>((resolve) => card?.once('data', resolve));
    expect((await seen).subarray(0, 4 + 22).toString('hex')).toBe('0000003cffffffffffff02000000000188b5696e20686572653f');
    card?.write(framed(Buffer.from(`ffffffffffff02000000000288b5${'aa'.repeat(46)}`, 'hex')));
    await vi.waitUntil(async () => (await machine.readMemory(HEARD.count, 2)).readUInt16LE(0) === 1, { timeout: 10_000 });
    expect((await machine.readMemory(HEARD.address, 16)).toString('hex')).toBe('ffffffffffff02000000000288b5aaaa');
    expect(interfacesOfQemu()).toEqual(way === 'boot' ? ['lo'] : ['lo', 'sp-net0']);
    await machine.discard();
  });
});

it('QEMU itself cannot change the network of its sandbox', async () => {
  const machine = await start('resume', false);
  const qemu = descendantsOf(process.pid).find((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('qemu-system'));
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${qemu}/status`, 'utf8'))?.[1] ?? 'f';
  const NET_ADMIN = 12n;
  expect((BigInt(`0x${capabilities}`) >> NET_ADMIN) & 1n).toBe(0n);
  await machine.discard();
});

describe('a saved card', () => {
  const several = { driver: 'virtio-net-pci', netdev: 'net0', addr: '0x4', mac: '52:54:00:00:00:01', mq: true, vectors: 6 };
  const others = HARDWARE.devices.slice(0, 2);

  it.each([
    ['that was connected to nothing', { ...several, mq: false, vectors: 3 }, []],
    ['with several queues', several, ['-netdev', 'tap,id=net0,ifname=t0,script=no,downscript=no,vnet_hdr=on,queues=2']],
  ])('%s is gone on with', async (_, card, netdev) => {
    const { netdev: _unused, ...alone } = card;
    const source = await runSource({ ...HARDWARE, devices: [...others, netdev.length > 0 ? card : alone] }, [bench.image], netdev, ['unshare', '-rn']);
    while ((await source.read(HEARD.taken, 2)).readUInt16LE(0) < 3) await sleep(100);
    const saved = await source.save();
    await source.end();
    const memory = savedMemory(saved);
    const description = { ...HARDWARE, devices: [...others, card] };
    const machine = await bench.session.start({ way: 'resume', description, memory, network: true }, AbortSignal.timeout(60_000));
    await machine.run();
    const before = await taken(machine);
    await vi.waitUntil(async () => (await taken(machine)) > before + 5, { timeout: 15_000 });
    expect(machine.network === null, 'QEMU has no filters for several queues').toBe(card.mq);
    await machine.discard();
    await rm(dirname(saved), { recursive: true });
  });
});
