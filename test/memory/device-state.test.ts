import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPciConfig } from '../../src/memory/state/pci-config.js';
import { readVirtio } from '../../src/memory/state/virtio.js';
import { codesOf, withMemory } from './open-built.js';
import { be32, be64, buildStream, RUNNING } from './stream-builder.js';

const signal = new AbortController().signal;

/** A configuration space with these capabilities, 32 bytes apart from 40 on. */
function configOf(id: [number, number], classCode: number, capabilities: Buffer[] = []): Buffer {
  const config = Buffer.alloc(256);
  config.writeUInt16LE(id[0], 0);
  config.writeUInt16LE(id[1], 2);
  config.writeUInt16LE(classCode, 0x0a);
  config.writeUInt16LE(capabilities.length > 0 ? 0x10 : 0, 6);
  for (const [index, bytes] of capabilities.entries()) {
    const at = 0x40 + index * 32;
    config.writeUInt8(at, index === 0 ? 0x34 : at - 32 + 1);
    bytes.copy(config, at);
    config.writeUInt8(0, at + 1);
  }
  return config;
}

const msix = (vectors: number) => Buffer.of(0x11, 0, vectors - 1, 0);
const rootPort = (port: number, slot: number) => {
  const capability = Buffer.alloc(24);
  capability.set([0x10, 0, 0x42, 0]);
  capability.writeUInt8(port, 0x0f);
  capability.writeUInt32LE((slot << 19) >>> 0, 0x14);
  return capability;
};
const be16 = (value: number) => be32(value).subarray(2);

/** A virtio device with two queues and MSI-X. */
function virtioState(config: Buffer, own: Buffer, rest: Buffer, vectors: number, configBytes = 256): Buffer {
  const interrupts = Buffer.alloc(16 + vectors * 16 + Math.ceil(vectors / 8) + 2);
  const queues = [1, 2].map(() => Buffer.concat([be32(256), be64(0), be16(0), be16(0xffff)]));
  const space = Buffer.concat([config, Buffer.alloc(configBytes - 256)]);
  return Buffer.concat([be32(2), space, interrupts, Buffer.of(15, 0), be16(0), be32(0), be32(own.length), own, be32(2), ...queues, rest]);
}

describe('the configuration space of a PCI device', () => {
  it('tells what the device is', () => {
    const config = configOf([0x1af4, 0x1001], 0x0100, [msix(3), Buffer.of(0x09, 0, 16)]);
    config.writeUInt8(0x80, 0x0e);
    expect(readPciConfig(config)?.facts).toMatchObject({ id: '1af4:1001', classCode: '0100', msixVectors: 3, modern: true, multifunction: true, port: null });
    const port = readPciConfig(configOf([0x1b36, 0x000c], 0x0604, [rootPort(0x11, 5)]));
    expect(port).toMatchObject({ express: true, facts: { port: { number: 0x11, slot: 5 } } });
    expect(readPciConfig(Buffer.alloc(256))).toBeNull();
    expect(readPciConfig(Buffer.alloc(10, 1))).toBeNull();
  });

  it('never leads out of itself', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 256, maxLength: 256 }), (bytes) => void readPciConfig(Buffer.from(bytes))));
  });
});

describe('the state of a virtio device', () => {
  it('tells the size of a disk, also behind PCI Express', async () => {
    const capacity = Buffer.alloc(16);
    capacity.writeBigUInt64LE(2048n);
    const plain = virtioState(configOf([0x1af4, 0x1001], 0x0100, [msix(3)]), capacity, Buffer.alloc(0), 3);
    expect((await readVirtio('virtio-blk', plain, signal))?.virtio).toMatchObject({ queues: 2, capacityBytes: 2 ** 20 });
    const express = virtioState(configOf([0x1af4, 0x1042], 0x0100, [msix(2), rootPort(0, 0)]), capacity, Buffer.alloc(0), 2, 4096);
    expect((await readVirtio('virtio-blk', express, signal))?.virtio).toMatchObject({ queues: 2, capacityBytes: 2 ** 20 });
    const unasked = virtioState(configOf([0x1af4, 0x1001], 0x0100, [msix(3)]), Buffer.alloc(16), Buffer.alloc(0), 3);
    expect((await readVirtio('virtio-blk', unasked, signal))?.virtio.capacityBytes).toBeNull();
  });

  it('tells the address of a network card, and whether its packets have a header', async () => {
    const card = (header: number) =>
      Buffer.concat([Buffer.from('525400aabbcc', 'hex'), Buffer.alloc(12), be32(1), Buffer.alloc(6), Buffer.alloc(512, 255), be32(header)]);
    const state = (header: number) => virtioState(configOf([0x1af4, 0x1000], 0x0200, [msix(4)]), Buffer.alloc(8), card(header), 4);
    expect((await readVirtio('virtio-net', state(1), signal))?.virtio).toMatchObject({ mac: '52:54:00:aa:bb:cc', vnetHeader: true });
    expect((await readVirtio('virtio-net', state(0), signal))?.virtio.vnetHeader).toBe(false);
  });

  it('tells the ports of a serial controller, without the one that is always reserved', async () => {
    const rest = Buffer.concat([Buffer.alloc(4), be32(31), be32(0b1011), be32(0)]);
    const state = virtioState(configOf([0x1af4, 0x1003], 0x0780, [msix(2)]), Buffer.alloc(12), rest, 2);
    expect((await readVirtio('virtio-console', state, signal))?.virtio.ports).toEqual([1, 3]);
  });

  it('is nothing when its bytes do not have the shape', async () => {
    const kinds = fc.constantFrom('virtio-blk', 'virtio-net', 'virtio-console', 'virtio-scsi');
    await fc.assert(
      fc.asyncProperty(kinds, fc.uint8Array({ maxLength: 2000 }), async (kind, bytes) => {
        await readVirtio(kind, Buffer.from(bytes), signal);
        const shaped = virtioState(configOf([0x1af4, 0x1000], 0x0200, [msix(4)]), Buffer.from(bytes), Buffer.from(bytes), 4);
        await readVirtio(kind, shaped.subarray(0, bytes.length * 3), signal);
      }),
    );
  });
});

describe('the registers of a stream', () => {
  const cpuSection = (fields: [string, string, Buffer][]) => ({ name: 'cpu', fields: fields.map(([name, type, bytes]) => ({ name, type, bytes })) });
  const registers = cpuSection([
    ['env.regs', 'uint64', Buffer.alloc(128)],
    ['env.eip', 'uint64', be64(0xffffffff81000000n)],
    ['env.eflags', 'uint64', be64(0x246)],
    ['env.cr[0]', 'uint64', be64(0x80050033)],
    ['env.efer', 'uint64', be64(0xd01)],
    ['env.system_time_msr', 'uint64', be64(0x1001)],
  ]);
  const deadline = [{ name: 'cpu/msr_tscdeadline', fields: [{ name: 'env.tsc_deadline', type: 'uint64', bytes: be64(77) }] }];
  const apic = {
    name: 'apic',
    fields: [
      { name: 'apicbase', type: 'uint32', bytes: be32(0xfee00d00) },
      { name: 'lvt', type: 'uint32', bytes: Buffer.concat([be32(0x400ec), Buffer.alloc(20)]) },
    ],
  };
  const halted = { name: 'cpu_common', fields: [{ name: 'halted', type: 'uint32', bytes: be32(1) }] };

  it('are found by the description, in the device and in its subsections', async () => {
    const devices = [{ ...registers, subsections: deadline }, apic, halted, RUNNING];
    await withMemory(buildStream({ devices }), async (memory) => {
      expect(codesOf(memory)).toEqual([]);
      expect(memory.facts.cpus).toMatchObject([{ index: 0, halted: true, interruptsEnabled: true, mode: 'long' }]);
      expect(memory.facts.cpus[0]?.registers).toMatchObject({
        ...{ rip: '0xffffffff81000000', kvmclock: '0x1001', tscDeadline: '0x4d', subsections: 'cpu/msr_tscdeadline' },
        ...{ apicBase: '0xfee00d00', apicTimer: 'tsc-deadline', apicTimerMasked: '0' },
      });
    });
  });

  it('are counted, and not known, where the stream does not describe itself', async () => {
    await withMemory(buildStream({ devices: [registers, halted], description: false }), async ({ facts }) => {
      expect(facts.cpus).toMatchObject([{ index: 0, registers: {} }]);
    });
  });
});
