import { describe, expect, it } from 'vitest';
import { planCards } from '../../../src/labs/machine/cards.js';

const CARDS = [
  { netdev: 'net0', driver: 'virtio-net-pci', queues: 1 },
  { netdev: 'net1', driver: 'e1000', queues: 1 },
  { netdev: 'net2', driver: 'virtio-net-pci', queues: 4 },
];
const QEMU = { tool: 'qemu', args: ['-S'] };
const plan = (way: 'boot' | 'resume', network: boolean, canTap = true) => planCards(CARDS, { way, network }, '/run/m', canTap);

describe('planCards', () => {
  it('connects nothing when no network is asked for', () => {
    expect(plan('boot', false)).toMatchObject({ netdevs: [], extra: [], devices: [] });
    expect(plan('boot', false).around(QEMU)).toEqual(QEMU);
    expect(plan('resume', false, false).netdevs).toEqual([]);
  });

  it('gives every card a socket of its own', () => {
    const { netdevs, extra } = plan('boot', true);
    expect(netdevs.map(({ type, id }) => [type, id])).toEqual([
      ['stream', 'net0'],
      ['stream', 'net1'],
      ['stream', 'net2'],
    ]);
    expect(JSON.stringify(netdevs)).not.toMatch(/inet|host|"fd"/);
    expect(extra).toEqual([]);
  });

  it('puts saved virtio cards on taps that lead nowhere, with filters before the one that has one queue', () => {
    const { netdevs, extra, devices, around } = plan('resume', true);
    expect(netdevs).toEqual([
      { type: 'tap', id: 'net0', ifname: 'sp-net0', script: 'no', downscript: 'no', vnet_hdr: true },
      { type: 'stream', id: 'net1', server: true, addr: { type: 'unix', path: '/run/m/net1' } },
      { type: 'tap', id: 'net2', ifname: 'sp-net2', script: 'no', downscript: 'no', vnet_hdr: true, queues: 4 },
    ]);
    expect(extra.filter((word) => word.includes('filter-redirector'))).toHaveLength(2);
    expect(devices).toEqual(['/dev/net/tun']);
    const { tool, args, capabilities } = around(QEMU);
    expect(tool).toBe('sh');
    expect(capabilities).toEqual(['CAP_NET_ADMIN', 'CAP_SETPCAP']);
    expect(args[1]).toMatch(
      /^ip tuntap add dev sp-net0 .*\nip tuntap add dev sp-net2 .* multi_queue .*\nexec setpriv --bounding-set=-net_admin,-setpcap .* -- "\$0" "\$@"$/,
    );
    expect(args.slice(2)).toEqual(['qemu', '-S']);
  });

  it('does without taps where none can be made', () => {
    expect(plan('resume', true, false).netdevs.map(({ type }) => type)).toEqual(['stream', 'stream', 'stream']);
    expect(plan('resume', true, false).around(QEMU)).toEqual(QEMU);
  });
});
