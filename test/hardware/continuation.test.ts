import { describe, expect, it } from 'vitest';
import { continuationObstacle, machineTypesOf, networkNeeds } from '../../src/hardware/index.js';
import { cpu, factsOf, pciDevice, plain } from './facts.js';

const TCG = { accelerator: 'tcg', machineTypes: ['q35', 'pc-q35-7.2'] } as const;
const KVM = { accelerator: 'kvm', machineTypes: ['q35', 'pc-q35-7.2'] } as const;
const on = (registers: Record<string, string>) => factsOf({ cpus: [cpu(0), cpu(1, registers)] });

describe('whether a saved machine can go on here', () => {
  it('nothing keeps a machine that uses only what emulation has', () => {
    const plainCpu = { rip: '0xffffffff91810bda', cr4: '0x6b0', efer: '0xd01', xcr0: '0x7', kvmclock: '0x0', apicBase: '0xfee00900', apicTimer: 'one-shot' };
    expect(
      continuationObstacle(on({ ...plainCpu, subsections: 'cpu/poll_control_msr cpu/msr_smi_count cpu/pkru' }), {
        ...TCG,
        machineTypes: [...TCG.machineTypes],
      }),
    ).toBeNull();
  });

  it.each([
    [{ kvmclock: '0x27fe001' }, /KVM's clock/],
    [{ apicTimer: 'tsc-deadline', apicTimerMasked: '0' }, /TSC deadline/],
    [{ apicBase: '0xfee00d00' }, /x2APIC/],
    [{ cr4: '0x3606f0' }, /PCID/],
    [{ cr4: '0x26b0' }, /nested/],
    [{ cr4: '0x8006b0' }, /CET/],
    [{ xcr0: '0xe7' }, /AVX-512/],
    [{ xcr0: '0x60007' }, /0x60000/],
    [{ efer: '0x1d01' }, /nested/],
    [{ subsections: 'cpu/nested_state' }, /nested/],
    [{ subsections: 'cpu/msr_hyperv_hypercall' }, /Hyper-V/],
  ])('%j needs KVM', (registers, name) => {
    const obstacle = continuationObstacle(on(registers as Record<string, string>), { ...TCG, machineTypes: [] });
    expect(obstacle).toMatch(name);
    expect(obstacle).toMatch(/needs a host with KVM/);
    expect(continuationObstacle(on(registers as Record<string, string>), { ...KVM, machineTypes: [] })).toBeNull();
  });

  it("KVM's clock is a device of its own in the stream", () => {
    expect(continuationObstacle(factsOf({ devices: [plain('kvmclock')] }), { ...TCG, machineTypes: [] })).toMatch(/KVM's clock/);
  });

  it('nothing goes on on a machine that QEMU does not know, from memory that is cut, or from pages in places of their own', () => {
    const host = { ...KVM, machineTypes: [...KVM.machineTypes] };
    expect(continuationObstacle(factsOf({ machineType: 'pc-q35-9.2' }), host)).toMatch(/does not know the machine type pc-q35-9.2/);
    expect(continuationObstacle(factsOf({ complete: false }), host)).toMatch(/not whole/);
    expect(continuationObstacle(factsOf({ mappedPages: true }), host)).toMatch(/mapped-ram/);
    expect(continuationObstacle(factsOf({ machineType: null }), host)).toMatch(/machine type/);
    expect(continuationObstacle({ ...factsOf(), container: 'unread', why: "VMware's" }, host)).toMatch(/VMware/);
    expect(continuationObstacle(factsOf(), host)).toBeNull();
  });
});

describe('what the other end of its network cards must offer', () => {
  it('is a header on packets and as many pairs of queues as the widest card has', () => {
    const card = (queues: number, vnetHeader: boolean) => {
      const device = pciDevice(`0000:00:0${queues}.0/virtio-net`, '1af4:1000', { classCode: '0200', queues });
      return { ...device, virtio: device.virtio && { ...device.virtio, vnetHeader } };
    };
    expect(networkNeeds(factsOf({ devices: [card(3, false), card(9, true)] }))).toEqual({ vnetHeader: true, queuePairs: 4 });
    expect(networkNeeds(factsOf({ devices: [card(3, false)] }))).toEqual({ vnetHeader: false, queuePairs: 1 });
    expect(networkNeeds(factsOf())).toEqual({ vnetHeader: false, queuePairs: 1 });
  });
});

it('machine types are read from what QEMU prints', () => {
  const help =
    'Supported machines are:\nmicrovm              microvm (i386)\npc                   Standard PC (alias of pc-i440fx-7.2)\npc-q35-4.0.1         Standard PC\n\n';
  expect(machineTypesOf(help)).toEqual(['microvm', 'pc', 'pc-q35-4.0.1']);
  expect(machineTypesOf('')).toEqual([]);
});
