/** Frames of every kind of nonsense: nothing throws, nothing loops, nothing grows, and the network still works afterwards. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonical, toBytes, toText } from '../../../../src/labs/machine/network/addresses.js';
import { buildArp } from '../../../../src/labs/machine/network/arp.js';
import { buildDhcp, parseDhcp } from '../../../../src/labs/machine/network/dhcp.js';
import { parseQuestion, serverFailure } from '../../../../src/labs/machine/network/dns.js';
import { buildEthernet } from '../../../../src/labs/machine/network/ethernet.js';
import { FrameReader, framed, MAX_FRAME_BYTES } from '../../../../src/labs/machine/network/framing.js';
import { echo, icmpPacket } from '../../../../src/labs/machine/network/icmp.js';
import { attachNetwork } from '../../../../src/labs/machine/network/index.js';
import { buildIp, parseIp } from '../../../../src/labs/machine/network/ip.js';
import { advertisement, solicitation } from '../../../../src/labs/machine/network/nd.js';
import { TcpInbox } from '../../../../src/labs/machine/network/tcp-inbox.js';
import { parseTcp, plus, tcpPacket } from '../../../../src/labs/machine/network/tcp-segment.js';
import { udpPacket } from '../../../../src/labs/machine/network/udp.js';
import { GUEST_MAC, SimulatedGuest } from './simulated-guest.js';

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((array) => toText(Buffer.from(array)));
const ipv6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((array) => toText(Buffer.from(array)));
const port = fc.oneof(fc.constantFrom(53, 67, 68, 80), fc.nat(65_535));
const segment = fc.record({
  ...{ sourcePort: port, destinationPort: port, sequence: fc.nat(0xffffffff), acknowledgement: fc.option(fc.nat(0xffffffff)) },
  ...{ syn: fc.boolean(), fin: fc.boolean(), rst: fc.boolean(), push: fc.boolean(), window: fc.nat(65_535), maxSegmentBytes: fc.option(fc.nat(65_535)) },
  data: bytes(200),
});

/** Packets whose lengths and checksums are right, and nothing else need be. */
const packet = fc.tuple(fc.oneof(fc.tuple(ipv4, ipv4), fc.tuple(ipv6, ipv6)), fc.nat(6)).chain(([[source, destination], kind]) => {
  if (kind === 0) return segment.map((parts) => buildIp(tcpPacket(source, destination, parts)));
  if (kind <= 2) {
    const datagram = fc.record({ sourcePort: port, destinationPort: port, payload: bytes(400) });
    return datagram.map((parts) => buildIp(udpPacket(source, destination, parts)));
  }
  if (kind === 3) return bytes(64).map((data) => buildIp(echo(source, destination, 'request', { id: 1, sequence: 1, data })));
  if (kind === 4)
    return fc.tuple(fc.nat(255), fc.nat(255), bytes(100)).map(([type, code, body]) => buildIp(icmpPacket(source, destination, type, code, body, 255)));
  return fc.tuple(fc.nat(255), bytes(200)).map(([protocol, payload]) => buildIp({ source, destination, protocol, payload }));
});
const arp = fc
  .record({ operation: fc.constantFrom('request' as const, 'reply' as const), sender: ipv4, target: ipv4 })
  .map((parts) => buildArp({ ...parts, senderMac: GUEST_MAC, targetMac: Buffer.alloc(6) }));
const frame = fc
  .record({
    source: fc.constantFrom(GUEST_MAC, Buffer.alloc(6, 0xff), Buffer.alloc(6)),
    destination: fc.constantFrom(Buffer.alloc(6, 0xff), Buffer.from('02534e505230', 'hex'), Buffer.from('333300000001', 'hex')),
    tags: fc.array(fc.record({ type: fc.constantFrom(0x8100, 0x88a8), id: fc.nat(4095) }), { maxLength: 3 }),
    content: fc.oneof(
      packet.map((payload) => ({ type: payload[0] === 0x45 ? 0x0800 : 0x86dd, payload })),
      arp.map((payload) => ({ type: 0x0806, payload })),
      fc.record({ type: fc.constantFrom(0x0800, 0x0806, 0x86dd, 0x88cc, 20, 0x9999), payload: bytes(300) }),
    ),
  })
  .map(({ content, ...rest }) => buildEthernet({ ...rest, ...content }));
/** Whole ones, ones with some bytes changed, ones cut short, and plain bytes. */
const hostile = fc.oneof(
  frame,
  fc.tuple(frame, fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 })).map(([whole, changes]) => {
    for (const [at, value] of changes) if (at < whole.length) whole[at] = value;
    return whole;
  }),
  fc.tuple(frame, fc.nat(100)).map(([whole, length]) => whole.subarray(0, length)),
  bytes(200),
);

describe('a hostile guest', () => {
  it('sends what it likes', async () => {
    const property = fc.asyncProperty(fc.array(hostile, { minLength: 20, maxLength: 200 }), async (frames) => {
      const guest = new SimulatedGuest({ addresses: ['203.0.113.77'], services: { 80: { greeting: Buffer.from('still here') } } });
      const network = attachNetwork(guest.socket, { retransmitMs: 20 });
      try {
        for (const bytes of frames) guest.sendRaw(bytes);
        const conversation = await network.connect('203.0.113.77', 80, { timeoutMs: 5000 });
        expect((await conversation.readUntil(({ length }) => length >= 10, { timeoutMs: 5000 })).toString()).toBe('still here');
        expect(network.framesSent).toBeGreaterThanOrEqual(frames.length);
        expect(network.addresses.length).toBeLessThanOrEqual(128);
        expect(network.attempts.length).toBeLessThanOrEqual(100);
        expect(Object.keys(network.frames).length).toBeLessThanOrEqual(20);
      } finally {
        network.close();
        guest.close();
      }
    });
    await fc.assert(property, { numRuns: 60 });
  });

  it('answers a connection with segments of every kind', async () => {
    const kind = fc.constantFrom('syn', 'ack', 'reset', 'data', 'any');
    const property = fc.asyncProperty(fc.array(fc.tuple(segment, kind, fc.integer({ min: -70_000, max: 70_000 })), { maxLength: 60 }), async (segments) => {
      const guest = new SimulatedGuest({ addresses: ['203.0.113.77'], services: {} });
      const network = attachNetwork(guest.socket, { retransmitMs: 20 });
      try {
        const connecting = network.connect('203.0.113.77', 80, { timeoutMs: 40 }).then((it) => it.readUntil(() => false, { timeoutMs: 20 }), String);
        await new Promise((resolve) => setTimeout(resolve, 5));
        const syn = guest.heard.map((heard) => tcpOf(heard.payload)).find((parsed) => parsed?.segment.syn);
        for (const [parts, how, offset] of syn ? segments : []) {
          if (!syn) break;
          const answer = {
            ...parts,
            sourcePort: 80,
            destinationPort: syn.segment.sourcePort,
            ...(how === 'any' ? {} : numbers(how, syn.segment.sequence, offset)),
          };
          guest.send(tcpPacket('203.0.113.77', syn.own, answer));
        }
        const result = await connecting;
        expect(typeof result === 'string' || result.length <= 65_535).toBe(true);
      } finally {
        network.close();
        guest.close();
      }
    });
    await fc.assert(property, { numRuns: 40 });
  });

  it('tells lengths that no frame has: its card is let go', async () => {
    const guest = new SimulatedGuest({ addresses: ['10.0.0.1'] });
    const network = attachNetwork(guest.socket);
    guest.writeRaw(Buffer.from('ffffffff00', 'hex'));
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(network.frames).toEqual({ malformed: 1 });
    expect(guest.socket.destroyed).toBe(true);
    expect(await network.ping('10.0.0.1', { timeoutMs: 50 })).toBeNull();
    network.close();
    guest.close();
  });
});

/** Answers near the numbers that a connection awaits. */
function numbers(how: string, sequence: number, offset: number): object {
  const flags = { syn: how === 'syn', rst: how === 'reset', fin: how === 'data' && offset % 3 === 0, push: false };
  return { ...flags, sequence: how === 'syn' ? 1000 : plus(1001, offset), acknowledgement: plus(sequence, how === 'syn' ? 1 : 1 + (offset % 5)) };
}

function tcpOf(payload: Buffer): { own: string; segment: NonNullable<ReturnType<typeof parseTcp>> } | null {
  const packet = parseIp(payload);
  const parsed = packet === null || packet === 'fragment' || packet.protocol !== 6 ? null : parseTcp(packet);
  return parsed && packet !== null && packet !== 'fragment' ? { own: packet.source, segment: parsed } : null;
}

describe('frames on a stream', () => {
  it('are the same however they are cut', () => {
    fc.assert(
      fc.property(fc.array(bytes(300), { maxLength: 20 }), fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 }), (frames, cuts) => {
        const stream = Buffer.concat(frames.map(framed));
        const reader = new FrameReader();
        const found: Buffer[] = [];
        for (let at = 0, cut = 0; at < stream.length; cut++) {
          const length = cuts[cut % cuts.length] ?? 1;
          found.push(...(reader.push(stream.subarray(at, at + length)) ?? []));
          at += length;
        }
        expect(found.map((one) => one.toString('hex'))).toEqual(frames.map((one) => one.toString('hex')));
      }),
    );
  });

  it('are followed up to the longest that a card sends', () => {
    expect(new FrameReader().push(framed(Buffer.alloc(MAX_FRAME_BYTES)))).toHaveLength(1);
    expect(new FrameReader().push(framed(Buffer.alloc(MAX_FRAME_BYTES + 1)))).toBeNull();
  });
});

describe('text of addresses', () => {
  it.each([
    ['FE80::1%eth0', 'fe80::1'],
    ['2001:0DB8:0:0:1:0:0:1/64', '2001:db8::1:0:0:1'],
    ['::ffff:10.1.2.3', '::ffff:a01:203'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:2:3:4:5:6:7:0', '1:2:3:4:5:6:7:0'],
    ['::', '::'],
    [' 10.0.0.1/8 ', '10.0.0.1'],
    ['10.0.0.256', null],
    ['', null],
    ['fe80', null],
  ])('%s is %s', (text, expected) => expect(canonical(text)).toBe(expected));

  it('and bytes are the same', () => {
    fc.assert(fc.property(fc.oneof(ipv4, ipv6), (address) => canonical(address) === address && toText(toBytes(address)) === address));
  });
});

describe('parsers', () => {
  it('of DHCP and DNS take any bytes', () => {
    const cookie = Buffer.concat([Buffer.from([1, 1, 6]), Buffer.alloc(233), Buffer.from([99, 130, 83, 99, 53, 1])]);
    fc.assert(
      fc.property(bytes(400), (rest) => {
        for (const candidate of [rest, Buffer.concat([cookie, rest])]) {
          const request = parseDhcp(candidate);
          if (request) expect(buildDhcp(request, { kind: 'nak', address: null, server: '10.0.0.1', network: null }).length).toBeGreaterThanOrEqual(300);
        }
        const question = parseQuestion(Buffer.concat([Buffer.from('000101000001000000000000', 'hex'), rest]));
        if (question) expect(serverFailure(question).length).toBeLessThanOrEqual(12 + 255 + 4);
      }),
    );
  });

  it('of neighbours take what builders build', () => {
    fc.assert(
      fc.property(ipv6, ipv6, (a, b) => [solicitation(a, b, GUEST_MAC), advertisement(a, b, GUEST_MAC)].every((one) => parseIp(buildIp(one)) !== null)),
    );
  });
});

describe('an inbox', () => {
  it('puts pieces of any order and overlap together, and never holds more than its window', () => {
    const pieces = fc.array(fc.tuple(fc.integer({ min: -50, max: 400 }), fc.integer({ min: 0, max: 120 })), { maxLength: 60 });
    fc.assert(
      fc.property(fc.nat(0xffffffff), pieces, (start, wanted) => {
        const stream = Buffer.from(Array.from({ length: 600 }, (_, index) => index & 0xff));
        const inbox = new TcpInbox(start);
        for (const [at, length] of wanted) inbox.insert(plus(start, at), Buffer.concat([Buffer.alloc(50), stream]).subarray(50 + at, 50 + at + length));
        const got = inbox.take();
        expect(got.equals(stream.subarray(0, got.length))).toBe(true);
        expect(got.length).toBe(reached(wanted));
      }),
    );
  });

  it('keeps to its window', () => {
    const inbox = new TcpInbox(0);
    inbox.insert(10, Buffer.alloc(100_000));
    inbox.insert(0, Buffer.alloc(100_000));
    expect([inbox.peek().length, inbox.window, inbox.isAcceptable(65_535, 1), inbox.isAcceptable(65_535, 0)]).toEqual([65_535, 0, false, true]);
  });
});

/** How far the pieces reach without a hole. */
function reached(pieces: [number, number][]): number {
  let end = 0;
  for (let before = -1; before !== end; ) {
    before = end;
    for (const [at, length] of pieces) if (at <= end && at + length > end) end = at + length;
  }
  return end;
}
