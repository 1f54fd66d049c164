/** The closed network against a real kernel: what a Linux guest makes of our answers, and what it answers to us. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probeOf } from '../../../../checks/machine/services/all.js';
import { attachNetwork, ClosedNetwork } from '../../../../src/labs/machine/network/index.js';
import { type KernelGuest, lackOfGuestKernel, startGuest } from './guest-kernel.js';

const lack = lackOfGuestKernel();
if (lack) throw new Error(`these tests need the Debian package ${lack}`);

/** Of datagrams, of lines, of half a megabyte, and one that only listens. */
const SERVERS: Record<string, string> = {
  '/udp-echo.pl': 'socket(S,2,2,17); bind(S,pack("S n a4 x8",2,7,"\\0\\0\\0\\0")); while ($a=recv(S,$b,65535,0)) { send(S,"echo:$b",0,$a) }',
  '/echo.sh': '#!/bin/busybox sh\necho "220 hello"\nwhile read line; do echo "you said $line"; [ "$line" = bye ] && exit; done\n',
  '/much.sh': '#!/bin/busybox sh\nseq 1 80000\n',
  '/count.sh': '#!/bin/busybox sh\ncat | wc -c > /dev/console\n',
};

const LEASE_SCRIPT =
  '#!/bin/busybox sh\n[ "$1" = bound ] && ip addr add $ip/$mask dev $interface && ip route add default via $router && echo "nameserver $dns" > /etc/resolv.conf && echo "LEASED $ip/$mask via $router dns $dns"\n';

const SCRIPT = `
ip link set eth0 up
udhcpc -i eth0 -s /lease.sh -n -q -f
ip addr add 10.20.30.40/28 dev eth0
ip -6 addr add 2001:db8:1::5/64 dev eth0
mkdir -p /www; echo "hello from the guest" > /www/index.html
httpd -p 80 -h /www
nc -ll -p 25 -e /echo.sh &
nc -ll -p 19 -e /much.sh &
nc -ll -p 9 -e /count.sh &
perl /udp-echo.pl &
for port in 6379 6380; do redis-server --port $port --bind '*' -::* --protected-mode no --save '' > /dev/null & done
for port in 0050 0019 0013 0009 18EB 18EC; do until grep -qi ":$port 0*:0000 0A" /proc/net/tcp /proc/net/tcp6; do sleep 1; done; done
kill -STOP $!
# Addresses of IPv6 come a second or two after the link.
for i in $(seq 60); do ip -6 route show default | grep -q default && break; sleep 1; done
echo SERVICES ARE UP
ping -c 1 -W 5 8.8.8.8 > /dev/null && echo PING 8.8.8.8 IS ANSWERED
time nslookup example.org 2>&1
time nc -w 20 93.184.216.34 443 < /dev/null 2>&1
time nc -w 20 2606:2800::1 443 < /dev/null 2>&1
ip -6 route show default
cat /proc/net/arp
echo ASKED OUTSIDE
sleep 600
`;

let guest: KernelGuest;
let network: ClosedNetwork;
const signal = new AbortController().signal;
const soon = { timeoutMs: 10_000 };

beforeAll(async () => {
  guest = await startGuest({ script: SCRIPT, programs: ['/usr/bin/perl', '/usr/bin/redis-server'], files: { ...SERVERS, '/lease.sh': LEASE_SCRIPT } });
  network = attachNetwork(guest.sockets[0] as KernelGuest['sockets'][0]);
  await guest.waitFor('SERVICES ARE UP');
});

afterAll(async () => {
  network?.close();
  await guest?.close();
});

describe('what a Linux guest gets', () => {
  it('is a lease', () => expect(guest.console()).toMatch(/LEASED 198\.18\.0\.10\/24 via 198\.18\.0\.1 dns 198\.18\.0\.1/));

  it('is an answer to pings, a refusal of names and connections at once, and no way out', async () => {
    await guest.waitFor('ASKED OUTSIDE');
    const text = guest.console();
    expect(text).toContain('PING 8.8.8.8 IS ANSWERED');
    expect(text).toMatch(/SERVFAIL/);
    expect(text).toMatch(/Connection refused[\s\S]*Connection refused/);
    const seconds = [...text.matchAll(/real\t(\d+)m ([\d.]+)s/g)].map((match) => Number(match[1]) * 60 + Number(match[2]));
    expect(seconds).toHaveLength(3);
    expect(Math.max(...seconds)).toBeLessThan(5);
    expect(network.attempts).toEqual(
      expect.arrayContaining([
        { protocol: 'icmp', address: '8.8.8.8', port: 0, name: null, count: 1 },
        expect.objectContaining({ protocol: 'dns', address: '198.18.0.1', port: 53, name: 'example.org' }),
        { protocol: 'tcp', address: '93.184.216.34', port: 443, name: null, count: 1 },
        { protocol: 'tcp', address: '2606:2800::1', port: 443, name: null, count: 1 },
      ]),
    );
  });
});

describe('what is learnt of it', () => {
  it('are all its addresses', async () => {
    const found = await network.discover(['10.20.30.40', '10.20.30.41'], { timeoutMs: 3000, signal });
    expect(found).toEqual(expect.arrayContaining(['10.20.30.40', '198.18.0.10', '2001:db8:1::5']));
    expect(found).not.toContain('10.20.30.41');
    expect(found.some((address) => address.startsWith('fe80::'))).toBe(true);
    expect(found.some((address) => address.startsWith('fd53:4e50:5230:'))).toBe(true);
    expect(network.frames).toMatchObject({ arp: expect.any(Number), dhcp: expect.any(Number), 'ipv6-nd': expect.any(Number) });
    expect(network.frames.malformed).toBeUndefined();
  });

  it.each(['10.20.30.40', '198.18.0.10', '2001:db8:1::5'])('is that it answers at %s', async (address) => {
    expect(await network.ping(address, soon)).toBeGreaterThan(0);
  });

  it('is that it does not answer where it is not', async () => {
    expect(await network.ping('10.20.30.41', { timeoutMs: 1500 })).toBeNull();
    await expect(network.connect('10.20.30.41', 80, { timeoutMs: 1500 })).rejects.toMatchObject({ code: 'network.silent' });
  });
});

describe('a conversation with it', () => {
  it.each(['10.20.30.40', '198.18.0.10', '2001:db8:1::5'])('over HTTP at %s', async (address) => {
    const conversation = await network.connect(address, 80, soon);
    await conversation.write('GET / HTTP/1.0\r\n\r\n');
    const answer = await conversation.readUntil((bytes) => bytes.includes('hello from the guest'), soon);
    await conversation.close();
    expect(answer.toString()).toMatch(/^HTTP\/1\.[01] 200 OK[\s\S]*hello from the guest/);
  });

  it('line by line, until the guest says goodbye', async () => {
    const conversation = await network.connect('10.20.30.40', 25, soon);
    expect((await conversation.readUntil((bytes) => bytes.includes('\n'), soon)).toString()).toBe('220 hello\n');
    for (const word of ['one', 'two', 'bye']) {
      await conversation.write(`${word}\n`);
      expect((await conversation.readUntil((bytes) => bytes.includes('\n'), soon)).toString()).toBe(`you said ${word}\n`);
    }
    expect((await conversation.readUntil(() => false, soon)).length).toBe(0);
    expect(conversation.ended).toBe('closed');
    await conversation.close();
  });

  it('with much to say: all comes, in order, in pieces of our window', async () => {
    const conversation = await network.connect('10.20.30.40', 19, soon);
    const parts: Buffer[] = [];
    while (conversation.ended === null) parts.push(await conversation.readUntil(() => false, { timeoutMs: 60_000 }));
    parts.push(await conversation.readUntil(() => false, soon));
    await conversation.close();
    const expected = Array.from({ length: 80_000 }, (_, index) => `${index + 1}\n`).join('');
    expect(Buffer.concat(parts).toString() === expected).toBe(true);
  });

  it('with much to hear', async () => {
    const conversation = await network.connect('10.20.30.40', 9, soon);
    await conversation.write(Buffer.alloc(1_234_567, 'x'));
    await conversation.close();
    await guest.waitFor(/^1234567\r?$/m, 60_000);
  });

  it('by datagrams', async () => {
    expect((await network.ask('198.18.0.10', 7, Buffer.from('ping'), soon))?.toString()).toBe('echo:ping');
    await expect(network.ask('198.18.0.10', 8, Buffer.from('ping'), soon)).rejects.toMatchObject({ code: 'network.refused' });
  });

  it('is refused where nobody listens', async () => {
    await expect(network.connect('10.20.30.40', 5432, soon)).rejects.toMatchObject({ code: 'network.refused' });
    await expect(network.connect('2001:db8:1::5', 5432, soon)).rejects.toMatchObject({ code: 'network.refused' });
  });
});

describe('a service of it', () => {
  const ask = (protocol: string, port: number) => probeOf(protocol)?.probe(network, '10.20.30.40', port, { timeoutMs: 3000 });

  it('answers', async () => {
    expect(await ask('redis', 6379)).toMatchObject({ answered: true, proves: 'service', what: expect.stringContaining('+PONG') });
    expect(await ask('http', 80)).toMatchObject({ answered: true, proves: 'service' });
    expect(await ask('smtp', 25)).toMatchObject({ answered: true, proves: 'service' });
  });

  it('that stands still does not, although the kernel accepts its connections', async () => {
    expect(await ask('redis', 6380)).toMatchObject({ answered: false, state: 'mute', proves: 'kernel' });
    expect(await ask('tcp', 6380)).toMatchObject({ answered: true, proves: 'kernel' });
  });

  it('that is not there is refused', async () => {
    expect(await ask('postgresql', 5432)).toMatchObject({ answered: false, state: 'refused', proves: 'kernel' });
  });
});

describe('a guest with two cards, one of them in a virtual network', () => {
  const script = `
ip link set eth0 up; ip link set eth1 up
ip addr add 192.168.5.2/24 dev eth0
vconfig add eth1 7; ip link set eth1.7 up
ip addr add 172.20.0.9/30 dev eth1.7
nc -ll -p 25 -e /echo.sh &
sleep 3
echo CARDS ARE UP
ping -c 1 -W 5 172.20.0.10 > /dev/null && echo NEIGHBOUR IS ANSWERED
sleep 600
`;

  it('is reached on both', async () => {
    const two = await startGuest({ script, files: SERVERS, cards: 2 });
    const both = new ClosedNetwork();
    for (const socket of two.sockets) both.attach(socket);
    try {
      await two.waitFor('NEIGHBOUR IS ANSWERED');
      expect(await both.discover(['192.168.5.2', '172.20.0.9'], { timeoutMs: 5000, signal })).toEqual(expect.arrayContaining(['192.168.5.2', '172.20.0.9']));
      expect(both.frames['vlan-tagged']).toBeGreaterThan(0);
      for (const address of ['192.168.5.2', '172.20.0.9']) {
        const conversation = await both.connect(address, 25, soon);
        expect((await conversation.readUntil((bytes) => bytes.includes('\n'), soon)).toString()).toBe('220 hello\n');
        await conversation.close();
      }
    } finally {
      both.close();
      await two.close();
    }
  });
});
