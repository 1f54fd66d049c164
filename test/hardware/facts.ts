import { describeMachine, type HardwareRequest } from '../../src/hardware/index.js';
import type { CpuFacts, MemoryFacts, PciFacts, StreamDevice } from '../../src/ways.js';
import { imagesOf } from './images.js';

export const MIB = 2 ** 20;

export function pciDevice(name: string, id: string, more: Partial<PciFacts> & { capacityBytes?: number; queues?: number } = {}): StreamDevice {
  const { capacityBytes, queues, ...facts } = more;
  const pci: PciFacts = {
    ...{ id, subsystem: '1af4:1100', revision: 0, classCode: '0100', multifunction: false, msixVectors: null, port: null, chassis: null, modern: true },
    ...{ usbPorts: null, ...facts },
  };
  const virtio = id.startsWith('1af4:') ? { queues: queues ?? 1, capacityBytes: capacityBytes ?? null, mac: null, vnetHeader: false, ports: [] } : null;
  return { name, instance: 0, pciAddress: /^0000:00:([^/]+)\//.exec(name)?.[1] ?? null, pci, virtio };
}

export const disk = (address: string, capacityBytes?: number): StreamDevice =>
  pciDevice(`0000:00:${address}/virtio-blk`, '1af4:1001', capacityBytes === undefined ? {} : { capacityBytes });

export function plain(name: string, instance = 0): StreamDevice {
  return { name, instance, pciAddress: null, pci: null, virtio: null };
}

export function cpu(index: number, registers: Record<string, string> = {}): CpuFacts {
  return { index, halted: false, interruptsEnabled: true, mode: 'long', registers };
}

/** A whole stream of a q35 with two processors and 1 GiB. */
export function factsOf(more: Partial<MemoryFacts> = {}): MemoryFacts {
  const built = ['fw_cfg', 'hpet', 'vmmouse', 'pckbd', 'i8254', 'globalstate'].map((name) => plain(name));
  const ahci = { ...plain('0000:00:1f.2/ich9_ahci'), pciAddress: '1f.2' };
  const smb = { ...plain('0000:00:1f.3/ich9_smb'), pciAddress: '1f.3' };
  return {
    ...{ container: 'qemu-stream', compression: 'none', why: '', machineType: 'pc-q35-7.2', ramBytes: 1024 * MIB, runState: 'running', domainXml: null },
    ...{ blocks: [{ name: 'pc.ram', sizeBytes: 1024 * MIB }], cpus: [cpu(0), cpu(1)], mappedPages: false, complete: true, findings: [] },
    ...more,
    devices: [...built, ahci, smb, ...(more.devices ?? [])],
  };
}

/** A cold boot of one Linux disk, unless told otherwise. */
export function described(more: Partial<HardwareRequest> = {}) {
  const images = more.images ?? imagesOf(1024 * MIB);
  return describeMachine({
    ...{ way: 'boot', facts: null, manifest: null, domainXml: [], images, buses: images.map(() => null), inspection: null, bootCode: null },
    ...{ host: { cpus: 4, memoryMiB: 4096, machineTypes: [] }, network: false },
    ...more,
  });
}
