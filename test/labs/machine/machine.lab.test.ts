/** What a running machine does when the guest does something to it, and what can be done to the guest. */
import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { type Bench, counted, lookUntil, never, openBench, PC } from './bench.js';

const MIB = 2 ** 20;
let bench: Bench;
let before: string;
afterEach(async () => {
  const after = await bench.digest();
  await bench.close();
  expect(after, 'the disk as captured').toBe(before);
});

async function open(...args: Parameters<typeof openBench>): Promise<void> {
  bench = await openBench(...args);
  before = await bench.digest();
}

describe('a guest that resets', () => {
  it('is counted, and goes on', async () => {
    await open('reset');
    const machine = await bench.boot();
    await lookUntil(machine, () => machine.events.filter(({ event }) => event === 'RESET').length >= 3);
    const reset = machine.events.find(({ event }) => event === 'RESET');
    expect(reset).toMatchObject({ data: { guest: true, reason: 'guest-reset' } });
    expect(reset?.guestMs).toBeGreaterThan(0);
    expect(await machine.look()).toMatchObject({ status: 'running' });
    expect(machine.trouble()).toBeNull();
  });
});

describe('waiting', () => {
  it('takes its time, and ends with the signal', async () => {
    await open('idle');
    const machine = await bench.boot();
    const begin = performance.now();
    await machine.wait(200, never);
    expect(performance.now() - begin).toBeGreaterThanOrEqual(195);
    await machine.wait(3_600_000, AbortSignal.timeout(100));
    await machine.wait(3_600_000, AbortSignal.abort());
  });
});

describe('a guest that writes without end', () => {
  it.each(['virtio-blk-pci', 'ide-hd'])('is stopped at the limit, on %s, and nothing crashes', async (driver) => {
    await open('writer', 24 * MIB);
    const machine = await bench.boot({ devices: [{ driver, drive: 'disk0' }] });
    await lookUntil(machine, ({ status }) => status === 'io-error', 40_000);
    expect(machine.trouble()).toMatchObject({ kind: 'overlay-limit', disk: 'disk0' });
    expect(machine.trouble()?.message).toContain(String(24 * MIB));
    expect(machine.events.map(({ event }) => event)).toContain('BLOCK_IO_ERROR');
    const first = await machine.look();
    await sleep(200);
    const second = await machine.look();
    expect(second.guestMs, 'the clock of a stopped guest').toBe(first.guestMs);
    expect(second.wallMs).toBeGreaterThan(first.wallMs + 150);
    const [overlay] = machine.overlays();
    await machine.close();
    expect(statSync(overlay?.path ?? '').size).toBeLessThanOrEqual(24 * MIB);
    const { stdout } = await promisify(execFile)('qemu-img', ['check', overlay?.path ?? '']);
    expect(stdout).toContain('No errors were found');
    expect(await machine.ended).toMatchObject({ exitCode: 0 });
  });

  it('leaves what it wrote on the overlay, whole after it was closed', async () => {
    await open('writer');
    const machine = await bench.boot();
    await lookUntil(machine, ({ disks }) => (disks[0]?.writtenBytes ?? 0) > 4 * MIB);
    const rounds = await counted(machine);
    await machine.close();
    await machine.close();
    const [overlay] = machine.overlays();
    const { stdout } = await promisify(execFile)('qemu-img', ['map', '--output=json', overlay?.path ?? '']);
    const written = JSON.parse(stdout).reduce((sum: number, run: { length: number; data: boolean }) => sum + (run.data ? run.length : 0), 0);
    expect(written).toBeGreaterThanOrEqual((rounds - 1) * 32 * 1024);
    await machine.discard();
    await machine.discard();
    expect(() => statSync(overlay?.path ?? '')).toThrow(/ENOENT/);
    await expect(machine.look()).rejects.toMatchObject({ code: 'machine.ended' });
  });

  it('has other overlays in another machine', async () => {
    await open('writer');
    const [one, other] = [await bench.boot(), await bench.boot()];
    await lookUntil(one, ({ disks }) => (disks[0]?.writes ?? 0) > 10);
    await lookUntil(other, ({ disks }) => (disks[0]?.writes ?? 0) > 10);
    expect(one.overlays()[0]?.path).not.toBe(other.overlays()[0]?.path);
    await one.discard();
    expect(await other.look()).toMatchObject({ status: 'running' });
  });
});

describe('keys', () => {
  it('reach the guest, whose lights and screen answer', async () => {
    await open('echo');
    const machine = await bench.boot();
    await lookUntil(machine, ({ screen }) => screen?.text?.includes('Booting') ?? false);
    await sleep(500);
    const lights = machine.keyboardLights() ?? 0;
    await machine.press(['x', 'shift-y', 'caps_lock']);
    const look = await lookUntil(machine, ({ screen }) => screen?.text?.includes('xY') ?? false);
    expect(look.screen?.text).toContain('xY');
    await lookUntil(machine, () => (machine.keyboardLights() ?? 0) > lights);
    expect(machine.serialText()).toBe('xY');
    await machine.writeSerial('z');
    await lookUntil(machine, ({ screen }) => screen?.text?.includes('xYz') ?? false);
    const lit = machine.keyboardLights();
    await machine.press(['caps_lock']);
    await lookUntil(machine, () => (machine.keyboardLights() ?? 0) > (lit ?? 0));
    await expect(machine.press(['no_such_key'])).rejects.toThrow(/no_such_key/);
  });

  it('do not reach a guest that hangs', async () => {
    await open('spin');
    const machine = await bench.boot();
    await lookUntil(machine, ({ screen }) => screen?.text?.includes('Booting') ?? false);
    await sleep(500);
    const [lights, look] = [machine.keyboardLights(), await machine.look()];
    await machine.press(['caps_lock', 'a']);
    await machine.pressPower();
    await sleep(500);
    expect(machine.keyboardLights()).toBe(lights);
    expect((await machine.look()).screen).toEqual(look.screen);
    expect(machine.events.map(({ event }) => event)).toContain('POWERDOWN');
  });
});

describe('hardware that cannot be', () => {
  const start = (description: object) =>
    bench.session.start({ way: 'boot', description: { ...PC, ...description }, memory: null, network: false }, AbortSignal.timeout(60_000));

  it('is refused with the words of QEMU', async () => {
    await open('idle');
    await expect(start({ machineType: 'pc-i440fx-99.0' })).rejects.toMatchObject({
      code: 'machine.refused',
      message: expect.stringContaining('unsupported machine type'),
    });
    await expect(start({ devices: [{ driver: 'no-such-card' }] })).rejects.toMatchObject({
      code: 'machine.refused',
      message: expect.stringContaining("'no-such-card' is not a valid device"),
    });
    await expect(start({ cpuModel: 'no-such-cpu' })).rejects.toMatchObject({ code: 'machine.refused' });
    await expect(
      start({
        devices: [
          { driver: 'VGA', addr: '0x2' },
          { driver: 'VGA', addr: '0x2' },
        ],
      }),
    ).rejects.toMatchObject({ code: 'machine.refused' });
  });

  it('is our trouble, and no evidence, where this host is in the way', async () => {
    await open('idle');
    await expect(start({ memoryMiB: 2 ** 23 })).rejects.toMatchObject({ code: 'machine.memory', message: expect.stringContaining('8388608 MiB') });
    await expect(start({ cpuModel: 'host' })).rejects.toMatchObject({ code: 'machine.start', message: expect.stringContaining('requires KVM') });
    await expect(start({ devices: [{ driver: 'virtio-blk-pci', drive: 'disk7' }] })).rejects.toMatchObject({ code: 'machine.device' });
    await expect(start({ devices: [{ driver: 'vfio-pci', host: '0000:00:02.0' }] })).rejects.toMatchObject({ code: 'machine.device' });
    await expect(start({ machineType: 'pc,accel=kvm' })).rejects.toMatchObject({ code: 'machine.description' });
  });
});
