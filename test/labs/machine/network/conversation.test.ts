/** The client of the closed network against a simulated guest, over wires that lose, double and reorder frames. */
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { randomFrom } from '../../../../checks/testing/damage.js';
import { attachNetwork, type ClosedNetwork } from '../../../../src/labs/machine/network/index.js';
import { SimulatedGuest, type SimulatedOptions } from './simulated-guest.js';
import type { TcpPeer, TcpService } from './tcp-peer.js';

const ADDRESS = '192.168.7.20';
const ADDRESS6 = '2001:db8::20';
const soon = { timeoutMs: 5000 };

function start(options: Partial<SimulatedOptions> = {}): { guest: SimulatedGuest; network: ClosedNetwork } {
  const guest = new SimulatedGuest({ addresses: [ADDRESS, ADDRESS6], ...options });
  const network = attachNetwork(guest.socket, { retransmitMs: 20 });
  onTestFinished(() => {
    network.close();
    guest.close();
  });
  return { guest, network };
}

const backwards: TcpService = { onData: (fresh, peer) => peer.say(Buffer.from(fresh).reverse()) };
const upTo = (length: number) => (bytes: Buffer) => bytes.length >= length;
/** Bytes that tell where they were. */
const counted = (length: number) => Buffer.from(Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 0xff));

async function readAll(network: ClosedNetwork, port: number): Promise<Buffer> {
  const conversation = await network.connect(ADDRESS, port, soon);
  const parts: Buffer[] = [];
  while (conversation.ended === null) parts.push(await conversation.readUntil(() => false, soon));
  parts.push(await conversation.readUntil(() => false, soon));
  await conversation.close();
  return Buffer.concat(parts);
}

describe('a conversation', () => {
  it.each([ADDRESS, ADDRESS6])('goes both ways at %s', async (address) => {
    const { network } = start({ services: { 80: backwards } });
    const conversation = await network.connect(address, 80, soon);
    await conversation.write('abc');
    expect((await conversation.readUntil(upTo(3), soon)).toString()).toBe('cba');
    expect(conversation.ended).toBeNull();
    await conversation.close();
    await expect(conversation.write('more')).rejects.toMatchObject({ code: 'network.ended' });
  });

  it('gives what came when time is over, and when the guest ends', async () => {
    const { network } = start({ services: { 25: { greeting: Buffer.from('220 ') }, 26: { greeting: Buffer.from('bye'), endsAfterGreeting: true } } });
    const quiet = await network.connect(ADDRESS, 25, soon);
    expect((await quiet.readUntil(upTo(100), { timeoutMs: 100 })).toString()).toBe('220 ');
    expect(quiet.ended).toBeNull();
    expect((await readAll(network, 26)).toString()).toBe('bye');
  });

  it('is told from one that was broken off', async () => {
    const { network } = start({ services: { 22: { greeting: Buffer.from('x'), onData: (_, peer) => peer.reset() } } });
    const conversation = await network.connect(ADDRESS, 22, soon);
    await conversation.readUntil(upTo(1), soon);
    await conversation.write('hello');
    expect((await conversation.readUntil(upTo(1), soon)).length).toBe(0);
    expect(conversation.ended).toBe('reset');
  });

  it('is refused, or silent', async () => {
    const { network } = start({ services: {} });
    await expect(network.connect(ADDRESS, 81, soon)).rejects.toMatchObject({ code: 'network.refused', message: expect.stringContaining('port 81') });
    await expect(network.connect('192.168.7.99', 81, { timeoutMs: 200 })).rejects.toMatchObject({ code: 'network.silent' });
    await expect(network.connect('no address', 81, soon)).rejects.toMatchObject({ code: 'network.address' });
  });

  it('ends with its network', async () => {
    const { network } = start({ services: { 80: backwards } });
    const conversation = await network.connect(ADDRESS, 80, soon);
    const reading = conversation.readUntil(upTo(1), { timeoutMs: 60_000 });
    const connecting = expect(network.connect('192.168.7.98', 80, { timeoutMs: 60_000 })).rejects.toMatchObject({ code: 'network.silent' });
    network.close();
    expect((await reading).length).toBe(0);
    expect(conversation.ended).toBe('reset');
    await connecting;
  });

  it('holds no more than its window when nobody reads, and goes on when somebody does', async () => {
    const much = counted(300_000);
    const { network } = start({ services: { 19: { greeting: much, endsAfterGreeting: true } } });
    const conversation = await network.connect(ADDRESS, 19, soon);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const parts = [await conversation.readUntil(() => false, soon)];
    expect(parts[0]?.length).toBeLessThanOrEqual(65_535);
    while (conversation.ended === null) parts.push(await conversation.readUntil(() => false, soon));
    parts.push(await conversation.readUntil(() => false, soon));
    expect(Buffer.concat(parts).equals(much)).toBe(true);
  });

  it('waits for a closed window to open', async () => {
    let peer: TcpPeer | null = null;
    const openAt = performance.now() + 150;
    const window = (from: TcpPeer) => {
      peer = from;
      return performance.now() < openAt ? 0 : 500;
    };
    const { network } = start({ services: { 9: { window } } });
    const conversation = await network.connect(ADDRESS, 9, soon);
    const much = counted(5000);
    await conversation.write(much);
    await conversation.close();
    expect((peer as TcpPeer | null)?.heard.equals(much)).toBe(true);
    expect((peer as TcpPeer | null)?.heardEnd).toBe(true);
  });
});

describe('over a bad wire', () => {
  it('every byte comes, once and in order, both ways', async () => {
    const trouble = fc.record({
      seed: fc.nat(),
      lost: fc.double({ min: 0, max: 0.2, noNaN: true }),
      doubled: fc.constantFrom(0, 0.2),
      late: fc.constantFrom(0, 0.3),
    });
    const property = fc.asyncProperty(trouble, fc.integer({ min: 1, max: 20_000 }), fc.nat(0xffffffff), async ({ seed, ...shares }, length, firstSequence) => {
      const heard: TcpPeer[] = [];
      const echo: TcpService = {
        onData(fresh, peer) {
          heard[0] = peer;
          peer.say(fresh);
        },
      };
      const guest = new SimulatedGuest({ addresses: [ADDRESS], services: { 7: echo }, trouble: { ...shares, random: randomFrom(seed) }, firstSequence });
      const network = attachNetwork(guest.socket, { retransmitMs: 10 });
      try {
        const conversation = await network.connect(ADDRESS, 7, { timeoutMs: 15_000 });
        const sent = counted(length);
        await conversation.write(sent);
        const back = await conversation.readUntil(upTo(length), { timeoutMs: 15_000 });
        expect(back.equals(sent)).toBe(true);
        expect(heard[0]?.heard.equals(sent)).toBe(true);
        await conversation.close();
      } finally {
        network.close();
        guest.close();
      }
    });
    const bad = { seed: 7, lost: 0.2, doubled: 0.2, late: 0.3 };
    await fc.assert(property, { numRuns: 12, examples: [[bad, 20_000, 0xfffffff0]] });
  });
});

describe('other questions', () => {
  it('pings find their answer', async () => {
    const { network } = start();
    expect(await network.ping(ADDRESS, soon)).toBeGreaterThan(0);
    expect(await network.ping(ADDRESS6.toUpperCase(), soon)).toBeGreaterThan(0);
    expect(await network.ping('192.168.7.99', { timeoutMs: 100 })).toBeNull();
  });

  it('datagrams find their answer, and only that', async () => {
    const { network } = start({ datagrams: { 53: (payload) => Buffer.concat([payload, Buffer.from('!')]), 54: () => null } });
    expect((await network.ask(ADDRESS, 53, Buffer.from('who'), soon))?.toString()).toBe('who!');
    expect(await network.ask(ADDRESS, 54, Buffer.from('who'), { timeoutMs: 100 })).toBeNull();
  });

  it('a search finds who answers, and nobody else', async () => {
    const { network, guest } = start({ addresses: [ADDRESS, 'fe80::20'] });
    guest.arp('192.168.7.21', '192.168.7.1'); // it was used, and does not answer
    const found = await network.discover([ADDRESS, '192.168.7.77', 'nonsense'], { timeoutMs: 400, signal: new AbortController().signal });
    expect(found.sort()).toEqual([ADDRESS, 'fe80::20']);
    expect(network.addresses).toContain('192.168.7.21');
  });

  it('a search ends soon after everybody who is expected has answered', async () => {
    const { network } = start({ addresses: [ADDRESS, 'fe80::20'] });
    const begin = performance.now();
    const found = await network.discover([ADDRESS], { timeoutMs: 30_000, signal: new AbortController().signal });
    expect(found.sort()).toEqual([ADDRESS, 'fe80::20']);
    expect(performance.now() - begin).toBeLessThan(15_000);
  });

  it('a search can be ended', async () => {
    const { network } = start({ addresses: [] });
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('enough')), 50);
    await expect(network.discover([ADDRESS], { timeoutMs: 60_000, signal: stop.signal })).rejects.toThrow('enough');
  });

  it('speaks from an address that is a neighbour in the smallest network', async () => {
    const { network, guest } = start({ addresses: ['10.0.0.9', '10.0.0.254'] });
    await network.ping('10.0.0.9', soon);
    await network.ping('10.0.0.254', soon);
    const senders = guest.heard.filter(({ type }) => type === 0x0806).map(({ payload }) => payload.subarray(14, 18).join('.'));
    expect(new Set(senders)).toEqual(new Set(['10.0.0.10', '10.0.0.253']));
  });
});
