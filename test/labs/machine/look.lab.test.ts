/** What is seen of a guest from outside, with guests whose every instruction is known. */
import { setTimeout as sleep } from 'node:timers/promises';
import { inflateSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Machine } from '../../../src/labs/lab.js';
import { type Bench, counted, lookUntil, openBench } from './bench.js';
import type { Sector } from './sectors.js';

let bench: Bench;
afterEach(() => bench.close());

/** Boots it, waits until the firmware has handed over, and sees two looks a second apart. */
async function twoLooks(name: Sector, handedOver: (machine: Machine) => Promise<boolean>) {
  bench = await openBench(name);
  const machine = await bench.boot();
  for (let waited = 0; !(await handedOver(machine)); waited++) {
    if (waited > 150) throw new Error('the sector was never started');
    await sleep(100);
  }
  const first = await machine.look();
  await sleep(1_000);
  const second = await machine.look();
  const cpuMs = (second.vcpus[0]?.cpuMs ?? 0) - (first.vcpus[0]?.cpuMs ?? 0);
  const waitedMs = (second.vcpus[0]?.waitedMs ?? 0) - (first.vcpus[0]?.waitedMs ?? 0);
  return { machine, first, second, cpuMs, waitedMs, wallMs: second.wallMs - first.wallMs };
}

/** The sector lies where the BIOS puts it, and the BIOS's last words are on the screen. */
const started = async (machine: Machine) => (await machine.look()).screen?.text?.includes('Booting from Hard Disk') ?? false;

describe('a look', () => {
  it('sees a guest that waits for interrupts: its clock goes on, and it burns nothing', async () => {
    const { machine, first, second, cpuMs, wallMs } = await twoLooks('idle', async (guest) => (await counted(guest)) > 5 && (await counted(guest)) < 1e6);
    expect(cpuMs).toBeLessThan(wallMs / 2);
    expect(second.interrupts ?? 0).toBeGreaterThan(first.interrupts ?? 0);
    const before = await counted(machine);
    await sleep(500);
    expect(await counted(machine)).toBeGreaterThan(before);
    expect(second).toMatchObject({ status: 'running', serialBytes: 0, framesSent: null, disks: [{ disk: 'disk0', pending: 0, failed: 0, writes: 0 }] });
    expect(second.disks[0]?.readBytes).toBeGreaterThanOrEqual(512);
    expect(second.guestMs).toBeGreaterThan(second.wallMs - 100);
    expect(second.memory?.sampled).toBe(4096);
  });

  it('sees a guest that burns a processor and does nothing: no new code, no change', async () => {
    const { first, second, cpuMs, waitedMs, wallMs } = await twoLooks('spin', started);
    expect(cpuMs + waitedMs).toBeGreaterThan(wallMs * 0.7);
    expect(cpuMs).toBeGreaterThan(0);
    expect(second.jit).toEqual(first.jit);
    expect(second.memory).toEqual({ changed: 0, sampled: 4096 });
    expect(second.screen).toEqual(first.screen);
  });

  it('sees a guest that halted for good', async () => {
    const { cpuMs, second, first, wallMs } = await twoLooks('dead', started);
    expect(cpuMs).toBeLessThan(wallMs / 4);
    expect(second.jit).toEqual(first.jit);
    expect(second.interrupts ?? 0, 'the timer goes on without it').toBeGreaterThan(first.interrupts ?? 0);
  });

  it('is cheap', async () => {
    bench = await openBench('idle');
    const machine = await bench.boot();
    await lookUntil(machine, (look) => look.screen?.text?.includes('Booting') ?? false);
    const rounds = 15;
    const before = process.cpuUsage();
    for (let round = 0; round < rounds; round++) await machine.look();
    const { user, system } = process.cpuUsage(before);
    // Not by the wall: the host may have no processor to spare.
    expect((user + system) / 1000 / rounds, 'milliseconds').toBeLessThan(400);
  });

  it('tells that there is no screen', async () => {
    bench = await openBench('idle');
    const machine = await bench.boot({ devices: [{ driver: 'virtio-blk-pci', drive: 'disk0' }] });
    expect((await machine.look()).screen).toBeNull();
    expect(await machine.screenshot()).toBeNull();
    expect(machine.serialText()).toBe('');
    expect(await machine.writeSerial('x')).toBe(false);
  });
});

describe('the screen', () => {
  it('is read as text, exactly, and pictured', async () => {
    bench = await openBench('screen');
    const machine = await bench.boot();
    const look = await lookUntil(machine, ({ screen }) => screen?.text?.includes('Saä') ?? false);
    expect(look.screen).toMatchObject({ width: 720, height: 400, blank: false });
    const lines = look.screen?.text?.split('\n') ?? [];
    expect(lines.findIndex((line) => line.slice(10) === 'Saä █╔═╗☺!')).toBe(3);
    expect(lines[0]).toMatch(/^SeaBIOS/);
    const again = await machine.look();
    expect(again.screen, 'the cursor that QEMU lets blink is no change').toEqual(look.screen);
    const png = (await machine.screenshot()) ?? Buffer.alloc(0);
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([720, 400]);
    const dataBytes = png.readUInt32BE(33);
    expect(inflateSync(png.subarray(41, 41 + dataBytes))).toHaveLength(400 * (720 * 3 + 1));
  });
});

describe('memory', () => {
  it('is read as the processors see it, and only where there is some', async () => {
    bench = await openBench('idle');
    const machine = await bench.boot({ memoryMiB: 32 });
    await lookUntil(machine, (look) => look.screen?.text?.includes('Booting') ?? false);
    expect((await machine.readMemory(0x7c00 + 510, 2)).toString('hex')).toBe('55aa');
    expect((await machine.readMemory(0xffff0, 1))[0], 'the far jump of the BIOS').toBe(0xea);
    expect(await machine.readMemory(0xf0000, 0x20000)).toHaveLength(0x20000);
    expect(await machine.readMemory(2 ** 25 - 4096, 4096)).toHaveLength(4096);
    for (const [address, length] of [
      [2 ** 25 - 1, 2],
      [2 ** 32, 1],
      [0xfff00000, 16],
      [-1, 1],
      [0, 0],
      [0, 2 ** 40],
    ] as const) {
      await expect(machine.readMemory(address, length), `${address}`).rejects.toThrow(RangeError);
    }
  });
});

describe('the serial line', () => {
  it('is always read: a guest that never stops talking never waits', async () => {
    bench = await openBench('talker');
    const machine = await bench.boot();
    const first = await lookUntil(machine, ({ serialBytes }) => serialBytes > 50_000, 60_000);
    await lookUntil(machine, ({ serialBytes }) => serialBytes > first.serialBytes + 50_000, 60_000);
    expect(Buffer.byteLength(machine.serialText(), 'utf8')).toBeGreaterThanOrEqual(100_000);
  });
});

/** Of the timer that the BIOS leaves running. */
const TICKS_PER_SECOND = 18.2;

describe('a clock that runs ahead', () => {
  it('passes minutes of an idle guest in moments, and the guest has lived through them', async () => {
    bench = await openBench('idle');
    const machine = await bench.boot({}, { clock: 'ahead' });
    await vi.waitUntil(async () => (await counted(machine)) > 0, { timeout: 15_000 });
    // Before the first look and after the second: so fast does the guest's time pass that it matters.
    const before = await counted(machine);
    const first = await machine.look();
    const second = await lookUntil(machine, ({ guestMs }) => guestMs > first.guestMs + 120_000);
    const ticks = (await counted(machine)) - before;
    const passedMs = second.guestMs - first.guestMs;
    expect(passedMs).toBeGreaterThan(5 * (second.wallMs - first.wallMs));
    expect(ticks).toBeGreaterThan((passedMs / 1000) * TICKS_PER_SECOND * 0.8);
    expect(second.status).toBe('running');
  });
});
