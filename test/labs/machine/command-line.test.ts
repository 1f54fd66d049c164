import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LabError } from '../../../src/errors.js';
import { type MachinePlan, qemuArguments } from '../../../src/labs/machine/command-line.js';
import { placeDevices } from '../../../src/labs/machine/devices.js';
import type { MachineDescription } from '../../../src/ways.js';

const PC: MachineDescription = {
  ...{
    machineType: 'pc-q35-7.2',
    cpuModel: 'Nehalem,+x2apic',
    cpus: 2,
    memoryMiB: 640,
    firmware: 'bios',
    machineOptions: {},
    flashBytes: [],
    origins: {},
    deviations: [],
  },
  devices: [
    { driver: 'virtio-blk-pci', drive: 'disk0' },
    { driver: 'isa-serial', chardev: 'charserial0' },
  ],
};

function argumentsOf(change: Partial<MachineDescription> = {}, plan: Partial<MachinePlan> = {}): string[] {
  const description = { ...PC, ...change };
  const devices = placeDevices(description, ['disk0'], 'resume');
  const base = {
    description,
    devices,
    accelerator: 'tcg' as const,
    clock: 'real' as const,
    nodes: [],
    netdevs: [],
    extra: [],
    machineOptions: [],
    folder: '/run/m',
    incoming: false,
    strictBoot: false,
  };
  return qemuArguments({ ...base, ...plan });
}

describe('the command line', () => {
  it('starts paused and confined, with nothing that was not asked for', () => {
    const line = argumentsOf().join(' ');
    expect(line).toContain('-nodefaults -no-user-config -display none -S -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny');
    expect(line).toContain('-action reboot=reset,shutdown=pause,panic=pause');
    expect(line).toContain('-machine pc-q35-7.2,memory-backend=pc.ram -accel tcg,thread=multi,tb-size=512 -cpu Nehalem,+x2apic -smp 2 -m 640');
    expect(line).toContain('"qom-type":"memory-backend-memfd","id":"pc.ram","size":671088640,"share":true,"x-use-canonical-path-for-ramblock-id":false');
    expect(line).not.toMatch(/-incoming|-boot|kvm|-netdev/);
  });

  it('waits for a memory, boots from disks only, and uses KVM, when it is told to', () => {
    expect(argumentsOf({}, { incoming: true })).toEqual(expect.arrayContaining(['-incoming', 'defer']));
    expect(argumentsOf({}, { strictBoot: true })).toEqual(expect.arrayContaining(['-boot', 'strict=on']));
    expect(argumentsOf({}, { accelerator: 'kvm' })).toEqual(expect.arrayContaining(['-accel', 'kvm']));
  });

  it('lets the clock run ahead on cold boots in software emulation only', () => {
    expect(argumentsOf({}, { clock: 'ahead' }).join(' ')).toContain('-accel tcg,thread=single,tb-size=512 -icount shift=3,sleep=off');
    expect(() => argumentsOf({}, { clock: 'ahead', accelerator: 'kvm' })).toThrow(/KVM/);
    expect(() => argumentsOf({}, { clock: 'ahead', incoming: true })).toThrow(/after a resume/);
  });

  it('doubles the commas of a folder', () => {
    const line = argumentsOf({}, { folder: '/a,server=off' }).join(' ');
    expect(line).toContain('-qmp unix:/a,,server=off/qmp,server=on,wait=off');
    expect(line).toContain('path=/a,,server=off/serial,server=on,wait=off');
  });

  it.each([
    { machineType: 'pc,accel=kvm' },
    { machineType: '-x' },
    { machineType: 'q35,firmware=/etc/passwd' },
    { cpuModel: 'host\n' },
    { cpuModel: '' },
    { machineType: 'pc-i440fx-6.2,hpet=off' },
    { machineOptions: { 'accel=kvm,x': 'on' as const } },
    { machineOptions: { firmware: '/etc/passwd' as 'on' } },
    { cpus: 0 },
    { cpus: 1.5 },
    { memoryMiB: -1 },
    { memoryMiB: Number.NaN },
  ])('refuses %j', (change) => {
    expect(() => argumentsOf(change)).toThrow(LabError);
  });

  it('lets a PC leave parts out', () => {
    expect(argumentsOf({ machineOptions: { hpet: 'off' } }).join(' ')).toContain('-machine pc-q35-7.2,memory-backend=pc.ram,hpet=off ');
  });

  it('has no further option, whatever machine or processor is named', () => {
    const words = argumentsOf().length;
    fc.assert(
      fc.property(fc.string(), fc.string(), (machineType, cpuModel) => {
        try {
          expect(argumentsOf({ machineType, cpuModel })).toHaveLength(words);
        } catch (error) {
          expect(error).toBeInstanceOf(LabError);
        }
      }),
    );
  });
});
