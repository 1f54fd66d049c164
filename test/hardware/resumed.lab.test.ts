import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeMachine } from '../../src/hardware/index.js';
import { openSavedMemory } from '../../src/memory/index.js';
import type { MemoryFacts } from '../../src/ways.js';
import { withQemu } from '../memory/qemu.js';
import { imagesOf } from './images.js';
import { startDescribed } from './start-described.js';

const MIB = 2 ** 20;
/** As many kinds of devices as there are, in places of their own: what QEMU refuses when they are not built again in the same way. */
const MACHINES: Record<string, { args: string[]; sizes: number[] }> = {
  'a pc with conventional PCI': {
    args: [
      ...['-machine', 'pc,hpet=off,vmport=off', '-m', '64', '-device', 'cirrus-vga,addr=2', '-device', 'ich9-usb-ehci1,id=usb,addr=5.7'],
      ...['-device', 'ich9-usb-uhci1,masterbus=usb.0,firstport=0,addr=5.0,multifunction=on', '-device', 'ich9-usb-uhci2,masterbus=usb.0,firstport=2,addr=5.1'],
      ...['-device', 'usb-tablet,bus=usb.0,port=1', '-device', 'usb-kbd,bus=usb.0,port=2', '-device', 'piix3-usb-uhci,addr=1.2'],
      ...['-device', 'virtio-scsi-pci,id=s0,addr=6', '-device', 'scsi-hd,bus=s0.0,drive=d0,scsi-id=0,lun=0', '-device', 'scsi-cd,bus=s0.0,scsi-id=0,lun=1'],
      ...['-device', 'lsi53c895a,id=l0', '-device', 'scsi-hd,bus=l0.0,drive=d1', '-device', 'ide-hd,bus=ide.0,unit=0,drive=d2'],
      ...['-device', 'rtl8139', '-device', 'e1000', '-device', 'pci-bridge,chassis_nr=3,id=br', '-device', 'virtio-balloon-pci,bus=br,addr=1'],
      ...['-device', 'isa-serial,chardev=c0', '-device', 'isa-serial,chardev=c1', '-chardev', 'null,id=c0', '-chardev', 'null,id=c1'],
      ...['-device', 'virtio-serial-pci,id=vs', '-device', 'virtserialport,bus=vs.0,nr=1,name=org.qemu.guest_agent.0'],
      ...['-device', 'virtserialport,bus=vs.0,nr=3', '-device', 'vmgenid,guid=auto', '-device', 'virtio-rng-pci', '-device', 'i6300esb'],
    ],
    sizes: [MIB, 2 * MIB, 3 * MIB],
  },
  'a q35 as libvirt builds it': {
    args: [
      ...['-machine', 'q35', '-m', '64', '-smp', '2', '-device', 'pcie-root-port,port=0x10,chassis=1,id=pci.1,bus=pcie.0,multifunction=on,addr=0x2'],
      ...[1, 2, 3, 4].flatMap((n) => ['-device', `pcie-root-port,port=0x1${n},chassis=${n + 1},id=pci.${n + 1},bus=pcie.0,addr=0x2.0x${n}`]),
      ...['-device', 'virtio-vga,bus=pcie.0,addr=1', '-device', 'qemu-xhci,p2=15,p3=15,id=usb,bus=pci.1,addr=0'],
      ...['-device', 'virtio-blk-pci,bus=pci.2,addr=0,drive=d0', '-device', 'virtio-net-pci,bus=pci.3,addr=0,mac=52:54:00:aa:bb:cc,netdev=n0'],
      ...['-netdev', 'socket,id=n0,udp=127.0.0.1:1,localaddr=127.0.0.1:0', '-device', 'virtio-gpu-pci,bus=pci.4', '-device', 'usb-tablet,bus=usb.0,port=1'],
      ...['-device', 'virtio-scsi-pci,id=scsi,bus=pci.5,num_queues=4', '-device', 'scsi-hd,bus=scsi.0,drive=d1,scsi-id=2', '-device', 'virtio-keyboard-pci'],
      ...['-device', 'virtio-tablet-pci', '-device', 'pvpanic-pci', '-device', 'vmcoreinfo', '-device', 'isa-fdc'],
    ],
    sizes: [MIB, 5 * MIB],
  },
  'a q35 with devices of other hypervisors': {
    args: [
      ...['-machine', 'q35,sata=off', '-m', '64', '-device', 'qxl-vga,ram_size_mb=32', '-device', 'bochs-display,vgamem=8388608', '-device', 'nec-usb-xhci'],
      ...['-device', 'pcie-pci-bridge,id=pp', '-device', 'e1000-82545em,bus=pp,addr=3', '-device', 'vmxnet3', '-device', 'pvscsi,id=pv'],
      ...['-device', 'scsi-hd,bus=pv.0,drive=d0', '-device', 'i82801b11-bridge,id=b11', '-device', 'pci-bridge,bus=b11,chassis_nr=7,id=b2,addr=1'],
      ...['-device', 'rtl8139,bus=b2,addr=4', '-device', 'megasas', '-device', 'pci-serial,chardev=c0', '-chardev', 'null,id=c0', '-device', 'e1000e'],
      ...['-device', 'virtio-blk-pci,drive=d1,disable-modern=on,num-queues=3', '-device', 'virtio-net-pci,romfile=', '-device', 'ich9-ahci'],
    ],
    sizes: [MIB, 7 * MIB],
  },
};

describe('a machine built again from its stream alone', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'snapproof-hardware-'));
  });
  afterAll(async () => rm(folder, { recursive: true, force: true }));

  async function save(name: string): Promise<{ facts: MemoryFacts; stream: string; disks: Record<string, number> }> {
    const { args, sizes } = MACHINES[name] as (typeof MACHINES)[string];
    const stream = join(folder, 'vm.ram');
    const drives = sizes.flatMap((size, index) => ['-blockdev', `driver=null-co,node-name=d${index},size=${size}`]);
    await withQemu([...drives, ...args], async (qemu) => {
      await qemu.runFor(3_000);
      await qemu.migrate(stream);
    });
    const sandbox = { run: () => Promise.reject(new Error('no tool is needed')) };
    const signal = new AbortController().signal;
    const memory = await openSavedMemory({ path: stream, snapshot: null, format: 'qemu', folder, sandbox, limitBytes: 2 ** 30, signal });
    await memory.close();
    return { facts: memory.facts, stream, disks: Object.fromEntries(sizes.map((size, index) => [`disk${index}`, size])) };
  }

  it.each(Object.keys(MACHINES))('%s: QEMU takes the stream', async (name) => {
    const { facts, stream, disks } = await save(name);
    expect(facts).toMatchObject({ complete: true, findings: [] });
    const images = imagesOf(...Object.values(disks));
    const host = { cpus: 4, memoryMiB: 4096, machineTypes: [] };
    const nothingElse = { manifest: null, domainXml: [], inspection: null, bootCode: null, network: true };
    const { description, findings, obstacles } = describeMachine({ way: 'resume', facts, images, buses: images.map(() => null), host, ...nothingElse });
    expect({ findings, obstacles }).toEqual({ findings: [], obstacles: [] });
    expect(description.origins).toMatchObject({ machineType: 'stream', cpus: 'stream', memoryMiB: 'stream', devices: 'stream', firmware: 'stream' });
    await expect(startDescribed({ ...description, cpuModel: 'qemu64' }, disks, stream)).resolves.toBe('paused');
    // Without a device that saved its state QEMU refuses: so it would tell if one was built wrongly.
    const [missing] = description.devices.filter(({ driver }) => driver === 'e1000' || driver === 'vmxnet3' || driver === 'virtio-gpu-pci');
    const without = { ...description, cpuModel: 'qemu64', devices: description.devices.filter((device) => device !== missing) };
    await expect(startDescribed(without, disks, stream)).rejects.toThrow();
  });
});
