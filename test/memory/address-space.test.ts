import { describe, expect, it } from 'vitest';
import { isRam, ramBytesOf } from '../../src/memory/address-space.js';

const MIB = 2 ** 20;
const block = (name: string, mib: number) => ({ name, sizeBytes: mib * MIB });

describe('blocks of a saved memory', () => {
  it('are RAM of the machine, or of its firmware and devices', () => {
    const ram = ['pc.ram', '/objects/ram-node0', 'dimm1'];
    const others = ['isa-bios', 'pc.bios', 'system.flash0', '/rom@etc/acpi/tables', '0000:00:02.0/vga.vram'];
    expect([...ram, ...others].filter((name) => isRam(block(name, 1)))).toEqual(ram);
  });

  it('count as RAM with what was plugged in, and without the copy of the firmware below one megabyte', () => {
    expect(ramBytesOf([block('pc.ram', 160), block('isa-bios', 0.125), block('system.flash0', 4)])).toBe(160 * MIB);
  });
});
