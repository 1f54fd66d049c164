/** What a guest hears in answer to what it sends, and what is learnt of it. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ANY_IPV4, groupMac, toBytes, toText } from '../../../../src/labs/machine/network/addresses.js';
import { Allowance } from '../../../../src/labs/machine/network/allowance.js';
import { parseArp } from '../../../../src/labs/machine/network/arp.js';
import { internetChecksum } from '../../../../src/labs/machine/network/checksum.js';
import { buildEthernet, type EthernetFrame } from '../../../../src/labs/machine/network/ethernet.js';
import { echo, icmpPacket, parseIcmp } from '../../../../src/labs/machine/network/icmp.js';
import { attachNetwork, type ClosedNetwork, knownLeases, type NetworkOptions } from '../../../../src/labs/machine/network/index.js';
import { buildIp, type IpPacket, parseIp } from '../../../../src/labs/machine/network/ip.js';
import { parseNeighbour, solicitation } from '../../../../src/labs/machine/network/nd.js';
import { parseTcp, tcpPacket } from '../../../../src/labs/machine/network/tcp-segment.js';
import { parseUdp, udpPacket } from '../../../../src/labs/machine/network/udp.js';
import { GUEST_MAC, SimulatedGuest } from './simulated-guest.js';

const OUTSIDE = Buffer.from('0a0b0c0d0e0f', 'hex');

function start(options: NetworkOptions = {}): { guest: SimulatedGuest; network: ClosedNetwork } {
  const guest = new SimulatedGuest({ addresses: [] });
  const network = attachNetwork(guest.socket, options);
  onTestFinished(() => {
    network.close();
    guest.close();
  });
  return { guest, network };
}

/** What the guest has heard since, once nothing more comes. */
async function heard(guest: SimulatedGuest): Promise<EthernetFrame[]> {
  await new Promise((resolve) => setTimeout(resolve, 20));
  return guest.heard.splice(0);
}

function packetOf(frame: EthernetFrame | undefined): IpPacket {
  const packet = frame ? parseIp(frame.payload) : null;
  if (packet === null || packet === 'fragment') throw new Error('no packet was answered');
  return packet;
}

describe('questions for neighbours', () => {
  it('are answered for any address', async () => {
    const { guest, network } = start();
    guest.arp('10.1.1.5', '10.1.1.1');
    guest.arp('10.1.1.5', '172.31.255.9');
    const answers = (await heard(guest)).map(({ payload }) => parseArp(payload));
    expect(answers).toMatchObject([
      { operation: 'reply', sender: '10.1.1.1', target: '10.1.1.5', targetMac: GUEST_MAC },
      { operation: 'reply', sender: '172.31.255.9', target: '10.1.1.5' },
    ]);
    expect(network.addresses).toEqual(['10.1.1.5']);
  });

  it('are not answered for addresses of its own, nor when it only makes sure that one is free', async () => {
    const { guest, network } = start();
    for (let probe = 0; probe < 3; probe++) guest.arp(ANY_IPV4, '10.1.1.6');
    guest.arp('10.1.1.6', '10.1.1.6');
    guest.arp('10.1.1.7', '10.1.1.6');
    expect(await heard(guest)).toEqual([]);
    expect(network.addresses).toEqual(['10.1.1.6', '10.1.1.7']);
  });

  it('are answered when somebody without an address watches the link', async () => {
    const { guest, network } = start();
    for (let probe = 0; probe < 12; probe++) guest.arp(ANY_IPV4, '10.1.1.1');
    expect((await heard(guest)).map(({ payload }) => parseArp(payload)?.sender)).toEqual(['10.1.1.1', '10.1.1.1']);
    expect(network.addresses).toEqual([]);
  });

  it('of IPv6 are answered likewise', async () => {
    const { guest, network } = start();
    guest.send(solicitation('2001:db8::7', '2001:db8::1', GUEST_MAC));
    const packet = packetOf((await heard(guest))[0]);
    const message = parseIcmp(packet);
    expect(message && parseNeighbour(message, packet)).toEqual({ kind: 'advertisement', target: '2001:db8::1' });
    guest.send(solicitation('::', '2001:db8::8', GUEST_MAC), groupMac('ff02::1:ff00:8'));
    expect(await heard(guest)).toEqual([]);
    expect(network.addresses).toEqual(['2001:db8::7', '2001:db8::8']);
  });

  it('of IPv6 for a router find one with a local prefix', async () => {
    const { guest } = start();
    guest.send(icmpPacket('fe80::7', 'ff02::2', 133, 0, Buffer.alloc(4), 255), groupMac('ff02::2'));
    const message = parseIcmp(packetOf((await heard(guest))[0]));
    expect(message).toMatchObject({ kind: 'other', type: 134 });
    expect(message?.kind === 'other' && toText(message.body.subarray(36, 52))).toBe('fd53:4e50:5230::');
  });

  it('from outside the link (a hop limit below 255) are none', async () => {
    const { guest } = start();
    guest.send({ ...solicitation('2001:db8::7', '2001:db8::1', GUEST_MAC), hopLimit: 64 });
    expect(await heard(guest)).toEqual([]);
  });

  it('in a virtual network are answered in it', async () => {
    const { guest, network } = start();
    const tags = [{ type: 0x8100, id: 42 }];
    const payload = Buffer.concat([Buffer.from([0, 1, 8, 0, 6, 4, 0, 1]), GUEST_MAC, toBytes('10.9.9.9'), Buffer.alloc(6), toBytes('10.9.9.1')]);
    guest.sendRaw(buildEthernet({ destination: OUTSIDE, source: GUEST_MAC, tags, type: 0x0806, payload }));
    expect((await heard(guest))[0]?.tags).toEqual(tags);
    expect(network.frames).toEqual({ arp: 1, 'vlan-tagged': 1 });
    expect(network.framesSent).toBe(1);
  });
});

describe('what wants to go out', () => {
  const own = '10.1.1.5';
  const data = Buffer.from('payload');
  const segment = { sourcePort: 4000, destinationPort: 443, sequence: 99, acknowledgement: null, syn: true, fin: false, rst: false, push: false };
  const syn = tcpPacket(own, '8.8.8.8', { ...segment, window: 9, maxSegmentBytes: 1460, data: Buffer.alloc(0) });

  it('is answered when it is a ping', async () => {
    const { guest, network } = start();
    guest.send(echo(own, '8.8.8.8', 'request', { id: 1, sequence: 2, data }), OUTSIDE);
    const packet = packetOf((await heard(guest))[0]);
    expect(packet).toMatchObject({ source: '8.8.8.8', destination: own });
    expect(parseIcmp(packet)).toEqual({ kind: 'echo-reply', id: 1, sequence: 2, data });
    expect(network.attempts).toEqual([{ protocol: 'icmp', address: '8.8.8.8', port: 0, name: null, count: 1 }]);
  });

  it('is reset when it is a connection, whether new or old', async () => {
    const { guest, network } = start();
    guest.send(syn, OUTSIDE);
    guest.send(syn, OUTSIDE);
    const old = { ...segment, syn: false, acknowledgement: 7777, window: 9, maxSegmentBytes: null, data };
    guest.send(tcpPacket(own, '9.9.9.9', old), OUTSIDE);
    const answers = (await heard(guest)).map((frame) => parseTcp(packetOf(frame)));
    expect(answers.slice(0, 2)).toMatchObject([{ rst: true, acknowledgement: 100, sourcePort: 443, destinationPort: 4000 }, { rst: true }]);
    expect(answers[2]).toMatchObject({ rst: true, sequence: 7777, acknowledgement: null });
    guest.send(tcpPacket(own, '9.9.9.9', { ...old, rst: true }), OUTSIDE);
    expect(await heard(guest)).toEqual([]);
    expect(network.attempts).toEqual([{ protocol: 'tcp', address: '8.8.8.8', port: 443, name: null, count: 2 }]);
  });

  it('is told to be unreachable when it is a datagram', async () => {
    const { guest, network } = start();
    guest.send(udpPacket(own, '1.2.3.4', { sourcePort: 5, destinationPort: 123, payload: data }), OUTSIDE);
    expect(parseIcmp(packetOf((await heard(guest))[0]))).toEqual({
      ...{ kind: 'unreachable', code: 3 },
      about: { source: own, destination: '1.2.3.4', protocol: 17, sourcePort: 5, destinationPort: 123 },
    });
    expect(network.attempts).toMatchObject([{ protocol: 'udp', address: '1.2.3.4', port: 123 }]);
  });

  it('fails for now when it is a question for a name', async () => {
    const { guest, network } = start();
    const query = Buffer.from('beef01000001000000000000076578616d706c65036f72670000010001', 'hex');
    guest.send(udpPacket(own, '1.1.1.1', { sourcePort: 5, destinationPort: 53, payload: query }), OUTSIDE);
    const answer = parseUdp(packetOf((await heard(guest))[0]));
    expect(answer?.payload.toString('hex')).toBe('beef81820001000000000000076578616d706c65036f72670000010001');
    expect(network.attempts).toMatchObject([{ protocol: 'dns', name: 'example.org' }]);
  });

  it('gets no answer when it is for a group, or for the guest itself', async () => {
    const { guest } = start();
    guest.send(udpPacket(own, '239.1.1.1', { sourcePort: 5, destinationPort: 9, payload: data }), Buffer.from('01005e010101', 'hex'));
    guest.send(echo(own, '10.1.1.255', 'request', { id: 1, sequence: 2, data }), Buffer.alloc(6, 0xff));
    guest.send(echo(own, own, 'request', { id: 1, sequence: 2, data }), OUTSIDE);
    expect(await heard(guest)).toEqual([]);
  });

  it('is kept in mind for the first hundred destinations', async () => {
    const { guest, network } = start();
    const port = (destinationPort: number) => ({ sourcePort: 5, destinationPort, payload: data });
    for (let index = 1; index <= 300; index++) guest.send(udpPacket(own, '1.2.3.4', port(1000 + index)), OUTSIDE);
    await heard(guest);
    expect(network.attempts).toHaveLength(100);
    expect(network.frames.udp).toBe(300);
  });

  it('is answered so often and no more', async () => {
    const { guest, network } = start();
    const begin = performance.now();
    for (let index = 0; index < 4500; index++) guest.send(syn, OUTSIDE);
    const answers = (await heard(guest)).length;
    expect(network.frames.tcp).toBe(4500);
    expect(answers).toBeGreaterThanOrEqual(2000);
    expect(answers).toBeLessThanOrEqual(2000 + 2 * (performance.now() - begin));
  });
});

describe('an allowance', () => {
  it('is of so many a second, and never more than of one second at once', () => {
    let now = 0;
    const allowance = new Allowance(100, () => now);
    const taken = () => Array.from({ length: 500 }, () => allowance.take()).filter(Boolean).length;
    expect(taken()).toBe(100);
    now = 250;
    expect(taken()).toBe(25);
    now = 60_000;
    expect(taken()).toBe(100);
  });
});

describe('a lease', () => {
  const other = Buffer.from('525400000002', 'hex');

  function message(kind: number, choices: { mac?: Buffer; options?: [number, string][]; current?: string } = {}): Buffer {
    const head = Buffer.alloc(236);
    head.set([1, 1, 6, 0, 0xab, 0xcd, 1, 2]);
    toBytes(choices.current ?? ANY_IPV4).copy(head, 12);
    (choices.mac ?? GUEST_MAC).copy(head, 28);
    const options = (choices.options ?? []).map(([code, address]) => Buffer.concat([Buffer.from([code, 4]), toBytes(address)]));
    return Buffer.concat([head, Buffer.from([99, 130, 83, 99, 53, 1, kind]), ...options, Buffer.from([255])]);
  }

  async function exchange(guest: SimulatedGuest, payload: Buffer, source = ANY_IPV4): Promise<{ kind: number; address: string; options: string } | null> {
    guest.send(udpPacket(source, '255.255.255.255', { sourcePort: 68, destinationPort: 67, payload }));
    const [frame] = await heard(guest);
    const answer = frame && parseUdp(packetOf(frame))?.payload;
    return answer ? { kind: answer[242] ?? 0, address: toText(answer.subarray(16, 20)), options: answer.subarray(240).toString('hex') } : null;
  }

  it('is of an address set aside for tests, when the guest has no wish', async () => {
    const { guest, network } = start();
    expect(await exchange(guest, message(1))).toMatchObject({ kind: 2, address: '198.18.0.10' });
    const ack = await exchange(
      guest,
      message(3, {
        options: [
          [50, '198.18.0.10'],
          [54, '198.18.0.1'],
        ],
      }),
    );
    expect(ack).toMatchObject({ kind: 5, address: '198.18.0.10' });
    expect(ack?.options).toMatch(/3604c6120001.*0104ffffff00.*0304c6120001.*0604c6120001/);
    expect(network.addresses).toEqual(['198.18.0.10']);
    expect(await exchange(guest, message(1, { mac: other }))).toMatchObject({ address: '198.18.0.11' });
  });

  it('is of the address that it asks for', async () => {
    const { guest } = start();
    expect(await exchange(guest, message(3, { options: [[50, '10.33.0.77']] }))).toMatchObject({ kind: 5, address: '10.33.0.77' });
    expect(await exchange(guest, message(1, { mac: other, options: [[50, '10.33.0.77']] }))).toMatchObject({ kind: 2, address: '198.18.0.11' });
    expect(await exchange(guest, message(3, { current: '10.33.0.77' }), '10.33.0.77')).toMatchObject({ kind: 5, address: '10.33.0.77' });
  });

  it.each(['127.0.0.1', '224.0.0.5', '169.254.1.1', '10.0.0.255'])('is not of %s', async (address) => {
    const { guest } = start();
    expect(await exchange(guest, message(3, { options: [[50, address]] }))).toMatchObject({ kind: 6, address: ANY_IPV4 });
  });

  it('is of what the card is known to have had', async () => {
    const known = { mac: '52:54:00:00:00:01', address: '172.16.9.8', prefix: 20, gateway: '172.16.15.1' };
    const { guest } = start({ leases: [known, { ...known, mac: null, address: '172.16.9.9' }] });
    const offer = await exchange(guest, message(1, { options: [[50, '10.0.0.4']] }));
    expect(offer).toMatchObject({ kind: 2, address: '172.16.9.8', options: expect.stringMatching(/0104fffff000.*0304ac100f01/) });
    expect(await exchange(guest, message(1, { mac: other }))).toMatchObject({ address: '172.16.9.9' });
  });

  it('comes without an address for who only wants to know more', async () => {
    const { guest } = start();
    const answer = await exchange(guest, message(8, { current: '10.4.4.4' }), '10.4.4.4');
    expect(answer).toMatchObject({ kind: 5, address: ANY_IPV4, options: expect.stringContaining('03040a040401') });
  });
});

describe('what a guest should be given', () => {
  const place = { prefix: null, gateway: null, interface: null, mac: null, from: '' };
  const dhcp = { ...place, method: 'dhcp' as const, address: null };
  const lease = { ...place, method: 'lease' as const, address: '10.0.0.5', prefix: 20, gateway: '10.0.0.1' };
  const service = (address: string, reachable = true) => ({ name: 's', protocol: 'http', port: 80, address, reachable, from: '' });

  it('is what it had, and what its services are bound to', () => {
    const offer = { addresses: [dhcp, lease], services: [service('10.0.0.5'), service('10.0.0.6'), service('127.0.0.1', false), service('fd00::1')] };
    expect(knownLeases(offer)).toEqual([
      { mac: null, address: '10.0.0.5', prefix: 20, gateway: '10.0.0.1' },
      { mac: null, address: '10.0.0.6', prefix: 24, gateway: null },
    ]);
  });

  it('is nothing when it asks for nothing', () => {
    expect(knownLeases({ addresses: [{ ...place, method: 'static', address: '10.0.0.5' }], services: [service('10.0.0.6')] })).toEqual([]);
  });
});

describe('the network', () => {
  it('is closed: no file of it can open a socket, start a program or touch a disk', () => {
    const folder = fileURLToPath(new URL('../../../../src/labs/machine/network/', import.meta.url));
    const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
    const imports = files.flatMap((name) =>
      [...readFileSync(folder + name, 'utf8').matchAll(/^import (.*) from '(?!\.)(.*)';$/gm)].map((match) => `${match[2]} ${match[1]}`),
    );
    const allowed = ['node:net { isIPv4, isIPv6 }', 'node:crypto { randomInt }', 'node:stream type { Duplex }', 'node:stream { type Duplex }'];
    expect(files.length).toBeGreaterThan(20);
    expect(imports.filter((line) => !allowed.includes(line) && !line.startsWith('node:stream type'))).toEqual([]);
    expect(files.filter((name) => /\bimport\(|\brequire\(/.test(readFileSync(folder + name, 'utf8')))).toEqual([]);
  });
});

describe('checksums', () => {
  it('are those of RFC 1071', () => expect(internetChecksum(Buffer.from('0001f203f4f5f6f7', 'hex'))).toBe(0x220d));

  it('that are wrong make a frame malformed', async () => {
    const { guest, network } = start();
    for (const packet of [
      echo('10.1.1.5', '8.8.8.8', 'request', { id: 1, sequence: 1, data: Buffer.from('x') }),
      solicitation('fe80::1', 'fe80::2', GUEST_MAC),
    ]) {
      const bytes = buildIp(packet);
      bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
      guest.sendFrame(bytes[0] === 0x45 ? 0x0800 : 0x86dd, bytes);
    }
    expect(await heard(guest)).toEqual([]);
    expect(network.frames).toEqual({ malformed: 2 });
  });
});
