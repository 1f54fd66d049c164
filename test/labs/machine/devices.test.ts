import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LabError } from '../../../src/errors.js';
import { placeDevices } from '../../../src/labs/machine/devices.js';
import { romPath } from '../../../src/labs/machine/pci-path.js';
import type { MachineDescription } from '../../../src/ways.js';

const described = (devices: MachineDescription['devices'], machineType = 'pc-q35-7.2'): MachineDescription => ({
  ...{ machineType, cpuModel: 'max', cpus: 1, memoryMiB: 64, firmware: 'bios', machineOptions: {}, flashBytes: [], origins: {}, deviations: [] },
  devices,
});
const place = (devices: MachineDescription['devices'], way: 'boot' | 'resume' = 'resume') => placeDevices(described(devices), ['disk0', 'disk1'], way);

describe('placeDevices', () => {
  it('puts disks on overlays, and names them', () => {
    const placed = place([{ driver: 'virtio-blk-pci', drive: 'disk1', id: 'virtio-disk0' }, { driver: 'ide-hd', drive: 'disk0' }, { driver: 'ide-cd' }]);
    expect(placed.devices).toEqual([
      { driver: 'virtio-blk-pci', drive: 'disk1-overlay', id: 'virtio-disk0', werror: 'stop', rerror: 'report' },
      { driver: 'ide-hd', drive: 'disk0-overlay', id: 'sp-disk0', werror: 'stop', rerror: 'report' },
      { driver: 'ide-cd' },
    ]);
    expect(placed.disks).toEqual([
      { disk: 'disk1', device: 'virtio-disk0' },
      { disk: 'disk0', device: 'sp-disk0' },
    ]);
  });

  it('gives every card a connection of its own, and counts its queues', () => {
    const { cards, devices } = place([
      { driver: 'e1000', netdev: 'net0' },
      { driver: 'virtio-net-pci', netdev: 'net0', mq: true, vectors: 10 },
      { driver: 'virtio-net-pci', netdev: 'net0', mq: 'on', vectors: 1e9 },
    ]);
    expect(cards).toEqual([
      { netdev: 'net0', driver: 'e1000', queues: 1 },
      { netdev: 'net1', driver: 'virtio-net-pci', queues: 4 },
      { netdev: 'net2', driver: 'virtio-net-pci', queues: 256 },
    ]);
    expect(devices.map(({ netdev }) => netdev)).toEqual(['net0', 'net1', 'net2']);
  });

  it('connects the first serial line, and every other line to nothing', () => {
    const placed = place([
      { driver: 'virtserialport', chardev: 'agent' },
      { driver: 'isa-serial' },
      { driver: 'isa-serial', chardev: 'charserial1' },
      { driver: 'usb-redir' },
    ]);
    expect(placed.devices.map(({ chardev }) => chardev)).toEqual(['sp-line0', 'sp-serial', 'sp-line1', 'sp-line2']);
    expect(placed.deafLines).toEqual(['sp-line0', 'sp-line1', 'sp-line2']);
    expect(placed.serial).toBe(true);
    expect(place([{ driver: 'intel-hda' }, { driver: 'hda-duplex' }])).toMatchObject({ sound: true, serial: false });
  });

  it('lets disks boot in their order, and hears of panics, on a cold boot only', () => {
    const disks = [
      { driver: 'virtio-blk-pci', drive: 'disk0' },
      { driver: 'scsi-hd', drive: 'disk1' },
    ];
    expect(place(disks, 'boot').devices).toMatchObject([{ bootindex: 1 }, { bootindex: 2 }, { driver: 'pvpanic' }]);
    expect(place([{ ...disks[0], bootindex: 7 }, disks[1] ?? {}], 'boot').devices[1]?.bootindex).toBeUndefined();
    expect(place(disks, 'resume').devices).toHaveLength(2);
    expect(place(disks, 'resume').devices[0]?.bootindex).toBeUndefined();
    expect(placeDevices(described([], 'microvm'), [], 'boot').devices).toEqual([]);
  });

  it.each([
    [{ driver: 'vfio-pci', host: '01:00.0' }],
    [{ driver: 'vhost-user-blk-pci', chardev: 'x' }],
    [{ driver: 'usb-host', hostbus: 1 }],
    [{ driver: 'loader', file: '/etc/passwd' }],
    [{ driver: 'scsi-block', drive: 'disk0' }],
    [{ driver: 'e1000', romfile: '/etc/passwd' }],
    [{ driver: 'virtio-blk-pci', drive: 'disk9' }],
    [{ driver: 'e1000,netdev=x' }],
    [{ drive: 'disk0' }],
  ])('refuses %j', (device) => {
    expect(() => place([device])).toThrow(LabError);
  });

  it('refuses one disk on two devices', () => {
    expect(() =>
      place([
        { driver: 'ide-hd', drive: 'disk0' },
        { driver: 'ide-hd', drive: 'disk0' },
      ]),
    ).toThrow(/twice/);
  });

  it('ends every connection at the lab, whatever is described', () => {
    const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constantFrom('disk0', 'disk1', 'net0', 'compat_monitor0', '/etc/passwd'));
    const driver = fc.constantFrom('virtio-blk-pci', 'ide-hd', 'e1000', 'virtio-net-pci', 'isa-serial', 'virtserialport', 'hda-duplex', 'vfio-pci', '');
    const device = fc.record({ driver, drive: value, netdev: value, chardev: value, romfile: value, audiodev: value }, { requiredKeys: ['driver'] });
    fc.assert(
      fc.property(fc.array(device, { maxLength: 5 }), fc.constantFrom('boot' as const, 'resume' as const), (devices, way) => {
        try {
          for (const placed of place(devices, way).devices) assertEndsHere(placed);
        } catch (error) {
          expect(error).toBeInstanceOf(LabError);
        }
      }),
    );
  });
});

function assertEndsHere({ drive, netdev, chardev, romfile }: Record<string, unknown>): void {
  if (typeof drive === 'string') expect(drive).toMatch(/^disk[01]-overlay$/);
  if (netdev !== undefined) expect(netdev).toMatch(/^net\d+$/);
  if (chardev !== undefined) expect(chardev).toMatch(/^sp-(serial|line\d+)$/);
  if (typeof romfile === 'string') expect(romfile).toBe('');
}

describe('romPath', () => {
  const root = { driver: 'pcie-root-port', id: 'pci.1', bus: 'pcie.0', addr: '0x1c.0x2' };
  it.each([
    [{ driver: 'VGA', addr: '0x2' }, '0000:00:02.0'],
    [{ driver: 'e1000', bus: 'pci.0', addr: '1f.3' }, '0000:00:1f.3'],
    [{ driver: 'e1000', addr: 0x18 }, '0000:00:03.0'],
    [{ driver: 'virtio-net-pci', bus: 'pci.1', addr: '0x0' }, '0000:00:1c.2:00.0'],
    [{ driver: 'virtio-net-pci', bus: 'gone', addr: '0x0' }, null],
    [{ driver: 'virtio-net-pci' }, null],
    [{ driver: 'e1000', addr: 'x' }, null],
  ])('%j is %s', (device, path) => {
    expect(romPath(device, [root, device])).toBe(path);
  });

  it('does not go round in circles', () => {
    const loop = { driver: 'pci-bridge', id: 'a', bus: 'a', addr: '1' };
    expect(romPath(loop, [loop])).toBeNull();
  });
});
