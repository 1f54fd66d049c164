import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OperatingSystem, Volume } from '../../src/types.js';
import { described, disk, factsOf, MIB, pciDevice, plain } from './facts.js';
import { imagesOf } from './images.js';

const codes = (answer: { findings: { code: string; severity: string }[] }) => answer.findings.map(({ code, severity }) => `${severity} ${code}`);

function system(type: string, kernels: string[]): OperatingSystem {
  const root = { volume: 'disk0/p1', path: '/' };
  return { root, type, distro: '', productName: '', version: '', arch: 'x86_64', hostname: '', kernels, mounts: [] };
}

function partition(type: string): Volume {
  const content = { kind: 'empty' } as const;
  return {
    id: 'disk0/p1',
    device: '/dev/sda1',
    sizeBytes: MIB,
    placement: null,
    partition: { number: 1, type, uuid: null, name: null },
    content,
    captureState: null,
  };
}

describe('a machine of which only the disks are known', () => {
  it('is a q35 with virtio for Linux, SATA for the rest, and capped to the host', () => {
    const linux = { tables: [], volumes: [], systems: [system('linux', ['vmlinuz-6.1.0'])] };
    const { description, findings } = described({ inspection: linux, network: true });
    expect(findings).toEqual([]);
    expect(description).toMatchObject({ machineType: 'q35', cpus: 2, memoryMiB: 2048, cpuModel: 'max', firmware: 'bios', deviations: [] });
    expect(description.devices.map(({ driver }) => driver)).toEqual(['VGA', 'isa-serial', 'virtio-blk-pci', 'virtio-net-pci']);
    expect(described({ host: { cpus: 1, memoryMiB: 900, machineTypes: [] } }).description).toMatchObject({ cpus: 1, memoryMiB: 900 });
    expect(described().description.devices.at(-1)).toEqual({ driver: 'ide-hd', drive: 'disk0', bus: 'ide.0' });
  });

  it('is a pc for systems that know no AHCI, and where the manifest says IDE', () => {
    const old = { tables: [], volumes: [], systems: [system('linux', ['vmlinuz-2.4.20'])] };
    expect(described({ inspection: old }).description.machineType).toBe('pc');
    const { description } = described({ images: imagesOf(MIB, MIB, MIB), buses: ['ide', 'ide', 'ide'] });
    expect(description.machineType).toBe('pc');
    expect(description.devices.slice(2)).toEqual([
      { driver: 'ide-hd', drive: 'disk0', bus: 'ide.0', unit: 0 },
      { driver: 'ide-hd', drive: 'disk1', bus: 'ide.0', unit: 1 },
      { driver: 'ide-hd', drive: 'disk2', bus: 'ide.1', unit: 0 },
    ]);
  });

  it('has the firmware that its first disk can be started by', () => {
    const esp = 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B';
    const biosBoot = '21686148-6449-6E6F-744E-656564454649';
    const firmware = (types: string[], scheme: 'gpt' | 'mbr', bootCode: boolean | null) => {
      const inspection = { tables: [{ disk: 'disk0', scheme, findings: [] }], volumes: types.map(partition), systems: [] };
      return described({ inspection, bootCode }).description.firmware;
    };
    expect(firmware([esp, '0FC63DAF-8483-4772-8E79-3D69D8477DE4'], 'gpt', true)).toBe('uefi');
    expect(firmware([esp, biosBoot], 'gpt', false)).toBe('bios');
    expect(firmware(['0xef', '0x83'], 'mbr', false)).toBe('uefi');
    expect(firmware(['0xef', '0x83'], 'mbr', true)).toBe('bios');
    expect(firmware(['0x83'], 'mbr', null)).toBe('bios');
  });
});

describe('a manifest', () => {
  const hardware = { machineType: 'pc-q35-7.2', cpus: 4, memoryMiB: 512, cpuModel: 'Nehalem,+aes,enforce' };

  it('describes the machine where nothing better does', () => {
    const devices = [
      { driver: 'VGA', bus: 'pcie.0', addr: '0x2' },
      { driver: 'virtio-blk-pci', id: 'disk0', drive: 'disk0', bus: 'pcie.0', addr: '0x3' },
      { driver: 'isa-serial', chardev: 'serial0' },
    ];
    const { description } = described({ manifest: { ...hardware, devices } });
    expect(description).toMatchObject({ machineType: 'pc-q35-7.2', cpus: 4, memoryMiB: 512, cpuModel: 'Nehalem,+aes', devices, deviations: [] });
    expect(description.origins).toMatchObject({ machineType: 'manifest', cpus: 'manifest', memoryMiB: 'manifest', cpuModel: 'manifest', devices: 'manifest' });
  });

  it('gets less than it says when this host has less, and that is said', () => {
    const { description } = described({ manifest: { ...hardware, memoryMiB: 65_536, cpus: 64 } });
    expect(description).toMatchObject({ cpus: 4, memoryMiB: 4096 });
    expect(description.deviations).toEqual([expect.stringMatching(/4 processors instead of 64/), expect.stringMatching(/4096 MiB of RAM instead of 65536/)]);
  });

  it.each([
    [{ driver: 'vfio-pci', host: '0000:01:00.0' }],
    [{ driver: 'virtio-9p-pci', fsdev: 'x' }],
    [{ driver: 'ivshmem-plain', memdev: '/etc/shadow' }],
    [{ driver: ['VGA'] }],
    ['VGA'],
    [null],
    [{}],
  ])('cannot bring the device %j', (device) => {
    const { description } = described({ manifest: { devices: [device, { driver: 'virtio-blk-pci', drive: 'disk0' }] } });
    expect(description.devices.map(({ driver }) => driver)).toEqual(['virtio-blk-pci', 'VGA', 'isa-serial']);
    expect(description.deviations[0]).toMatch(/^Left out: the device /);
  });

  it.each([
    [{ romfile: '/etc/shadow' }],
    [{ chardev: 'file:/etc/passwd' }],
    [{ netdev: 'tap0' }],
    [{ drive: '/dev/sda' }],
    [{ id: 'x,romfile=/etc/shadow' }],
    [{ addr: '0x2,multifunction=on' }],
    [{ 'x-some-debug': true }],
    [{ __proto__x: 1 }],
    [{ vectors: -1 }],
    [{ name: 'a\nb' }],
    [{ hasOwnProperty: 'on' }],
  ])('cannot bring the property %j', (property) => {
    const { description } = described({ manifest: { devices: [{ driver: 'virtio-net-pci', ...property }] } });
    expect(description.devices[0]).toEqual({ driver: 'virtio-net-pci' });
    expect(description.deviations[0]).toMatch(/^Left out: the property /);
  });

  it('reaches QEMU only as known drivers with plain values, whatever is in it', () => {
    const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.object());
    const device = fc.oneof(
      fc.anything(),
      fc.dictionary(fc.constantFrom('driver', 'id', 'bus', 'addr', 'drive', 'romfile', 'netdev', 'vectors', 'mac', 'port'), value),
    );
    fc.assert(
      fc.property(fc.array(device, { maxLength: 20 }), fc.string(), fc.string(), (devices, machineType, cpuModel) => {
        const { description } = described({ manifest: { devices, machineType, cpuModel }, facts: factsOf({ devices: [disk('03.0')] }) });
        expect(description.cpuModel).toMatch(/^[\w.+=,-]+$/);
        for (const one of description.devices) {
          expect(one.driver).toMatch(/^[\w-]+$/);
          expect(Object.values(one).every((item) => ['string', 'number', 'boolean'].includes(typeof item))).toBe(true);
          expect(JSON.stringify(one)).not.toMatch(/\/|\\/);
        }
      }),
    );
  });
});

describe('a saved machine', () => {
  const two = [disk('03.0', 1024 * MIB), disk('04.0', 2048 * MIB)];
  const images = imagesOf(1024 * MIB, 2048 * MIB);
  const manifest = {
    ...{ machineType: 'pc-q35-7.2', cpus: 2, memoryMiB: 1024, cpuModel: 'Nehalem' },
    devices: [
      { driver: 'virtio-blk-pci', drive: 'disk0', bus: 'pcie.0', addr: '0x3', serial: 'root' },
      { driver: 'virtio-blk-pci', drive: 'disk1', bus: 'pcie.0', addr: '0x4' },
    ],
  };
  const resumed = (more: object) => described({ way: 'resume', images, buses: ['virtio', 'virtio'], ...more });

  it('is built from the stream, with what only the manifest knows', () => {
    const { description, findings, obstacles } = resumed({ facts: factsOf({ devices: two }), manifest });
    expect({ findings, obstacles }).toEqual({ findings: [], obstacles: [] });
    expect(description).toMatchObject({ machineType: 'pc-q35-7.2', machineOptions: {}, cpuModel: 'Nehalem', cpus: 2, memoryMiB: 1024, firmware: 'bios' });
    expect(description.devices[0]).toMatchObject({ driver: 'virtio-blk-pci', bus: 'pcie.0', addr: '03.0', drive: 'disk0', serial: 'root', 'num-queues': 1 });
  });

  it.each([
    [{ cpus: 3 }, 'critical hardware.cpus'],
    [{ memoryMiB: 2048 }, 'critical hardware.memory-size'],
    [{ machineType: 'pc-q35-6.2' }, 'critical hardware.machine-type'],
    [{ machineType: 'pc' }, 'critical hardware.machine-type'],
    [{ devices: [...manifest.devices, { driver: 'e1000', addr: '0x7' }] }, 'critical hardware.device'],
    [{ devices: [{ driver: 'nvme', drive: 'disk0', addr: '0x3' }, manifest.devices[1]] }, 'critical hardware.device'],
  ])('contradicts a manifest that says %j', (more, code) => {
    const answer = resumed({ facts: factsOf({ devices: two }), manifest: { ...manifest, ...more } });
    expect(codes(answer)).toContain(code);
    expect(answer.description.cpus).toBe(2);
  });

  it('agrees with a manifest that names the family of its machine type, or nothing', () => {
    expect(codes(resumed({ facts: factsOf({ devices: two }), manifest: { ...manifest, machineType: 'q35' } }))).toEqual([]);
    expect(codes(resumed({ facts: factsOf({ devices: two }), manifest: {} }))).toEqual([]);
    expect(codes(resumed({ facts: factsOf({ devices: two }) }))).toEqual([]);
  });

  it('misses a disk that is not in the restore point, and has no place for one that it never had', () => {
    const missing = resumed({ facts: factsOf({ devices: two }), images: imagesOf(1024 * MIB), buses: ['virtio'] });
    expect(codes(missing)).toEqual(['critical hardware.disk-missing']);
    expect(missing.obstacles[0]).toMatch(/2048 MiB at 04.0/);
    expect(codes(resumed({ facts: factsOf({ devices: [two[0]] as never }) }))).toEqual(['critical hardware.disk-unknown']);
    // SATA disks are not named by a stream: a disk too many may have been one.
    expect(codes(resumed({ facts: factsOf({ devices: [two[0]] as never }), buses: ['virtio', null] }))).toEqual([]);
  });

  it('finds a disk of another size, and puts disks in order by their sizes where only the order was wrong', () => {
    expect(codes(resumed({ facts: factsOf({ devices: two }), images: imagesOf(1024 * MIB, 2049 * MIB) }))).toEqual(['critical hardware.disk-size']);
    const swapped = resumed({ facts: factsOf({ devices: two }), manifest, images: imagesOf(2048 * MIB, 1024 * MIB) });
    expect(codes(swapped)).toEqual(['warning hardware.disk-order']);
    expect(swapped.description.devices.map(({ drive }) => drive)).toEqual(['disk1', 'disk0']);
    const unsaid = resumed({ facts: factsOf({ devices: two }), images: imagesOf(2048 * MIB, 1024 * MIB) });
    expect(codes(unsaid)).toEqual([]);
  });

  it('takes what is left on SCSI for CD drives, and says which devices cannot be built', () => {
    const scsi = pciDevice('0000:00:05.0/virtio-scsi', '1af4:1004', { queues: 4 });
    const targets = ['0:0:0', '0:1:0', '0:2:0'].map((target) => plain(`0000:00:05.0/${target}/scsi-disk`));
    const devices = [scsi, ...targets, pciDevice('0000:00:06.0/vfio', '10de:1234'), plain('slirp')];
    const { description, obstacles, findings } = resumed({ facts: factsOf({ devices }) });
    expect(findings).toEqual([]);
    expect(description.devices.map(({ driver, drive }) => [driver, drive])).toEqual([
      ['virtio-scsi-pci', undefined],
      ['scsi-hd', 'disk0'],
      ['scsi-hd', 'disk1'],
      ['scsi-cd', undefined],
    ]);
    expect(obstacles).toEqual([expect.stringMatching(/06.0\/vfio/), expect.stringMatching(/slirp/)]);
  });

  it('has options, flash and RAM as it was saved, and does not fit where this run may use less', () => {
    const blocks = [{ name: 'pc.ram', sizeBytes: 8192 * MIB }, ...[1, 0].map((n) => ({ name: `system.flash${n}`, sizeBytes: (n + 1) * MIB }))];
    const facts = factsOf({ blocks, ramBytes: 8192 * MIB, devices: two });
    facts.devices = facts.devices.filter(({ name }) => name !== 'hpet');
    const { description, obstacles } = resumed({ facts });
    expect(description).toMatchObject({ machineOptions: { hpet: 'off' }, firmware: 'uefi', flashBytes: [MIB, 2 * MIB], memoryMiB: 8192 });
    expect(obstacles).toEqual([expect.stringMatching(/needs 8192 MiB/)]);
  });

  it('that is no PC, or whose RAM is in parts, is not resumed', () => {
    expect(resumed({ facts: factsOf({ machineType: 'virt-7.2', devices: two }) }).obstacles).toContainEqual(expect.stringMatching(/"virt-7.2"/));
    const blocks = [0, 1].map((node) => ({ name: `ram-node${node}`, sizeBytes: 512 * MIB }));
    expect(resumed({ facts: factsOf({ blocks, devices: two }) }).obstacles).toEqual([expect.stringMatching(/in parts \(ram-node0, ram-node1\)/)]);
  });

  it('that was cut off is held against nothing', () => {
    const facts = factsOf({ complete: false, cpus: [], devices: [] });
    expect(codes(resumed({ facts, manifest: { ...manifest, cpus: 7 } }))).toEqual([]);
  });

  it('of a machine type that this host does not know boots as its family', () => {
    const host = { cpus: 4, memoryMiB: 4096, machineTypes: ['pc', 'q35', 'pc-q35-7.2'] };
    const { description } = described({ facts: factsOf({ machineType: 'pc-q35-rhel9.4.0', devices: two }), images, buses: [null, null], host });
    expect(description.machineType).toBe('q35');
    expect(description.deviations[0]).toMatch(/does not know "pc-q35-rhel9.4.0"/);
  });
});
