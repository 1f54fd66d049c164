/** A machine that is resumed from its saved memory, and what becomes of memories that cannot be. */
import { readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MachineDescription, SavedMemory } from '../../../src/ways.js';
import { type Bench, counted, lookUntil, openBench, PC } from './bench.js';
import { runSource, savedMemory } from './saved.js';

const HARDWARE: MachineDescription = {
  ...PC,
  devices: [{ driver: 'VGA', addr: '0x2' }, { driver: 'virtio-blk-pci', drive: 'disk0', addr: '0x3' }, { driver: 'isa-serial' }],
};
let bench: Bench;
let path: string;
let bytes: Buffer;
let countedAtSave: number;

beforeAll(async () => {
  bench = await openBench('idle');
  const source = await runSource(HARDWARE, [bench.image]);
  while ((await source.read(0x600, 4)).readUInt32LE(0) < 30) await sleep(100);
  path = await source.save();
  countedAtSave = (await source.read(0x600, 4)).readUInt32LE(0);
  await source.end();
  bytes = await readFile(path);
});
afterAll(async () => {
  await bench.close();
  await rm(dirname(path), { recursive: true });
});

const resume = (memory: SavedMemory, description: Partial<MachineDescription> = {}) =>
  bench.session.start({ way: 'resume', description: { ...HARDWARE, ...description }, memory, network: false }, AbortSignal.timeout(90_000));

describe('a saved memory', () => {
  it('is gone on with where it was saved', async () => {
    const machine = await resume(savedMemory(path));
    expect(machine.way).toBe('resume');
    expect(await machine.look()).toMatchObject({ status: 'paused', guestMs: 0, wallMs: 0 });
    expect(await counted(machine), 'before it is let go').toBe(countedAtSave);
    await machine.run();
    const look = await lookUntil(machine, ({ guestMs }) => guestMs > 1_000);
    const now = await counted(machine);
    expect(now).toBeGreaterThan(countedAtSave);
    expect(now, 'it did not start anew').toBeLessThan(countedAtSave + 1000);
    expect(look.screen?.text).toContain('Booting from Hard Disk');
    expect(look.disks[0]?.reads, 'no boot').toBe(0);
    expect(machine.events.map(({ event }) => event)).toEqual(['RESUME']);
    await machine.discard();
  });

  it('of another size, type or hardware is refused with the words of QEMU', async () => {
    await expect(resume(savedMemory(path), { machineType: 'pc-q35-7.2' })).rejects.toMatchObject({
      code: 'machine.refused',
      message: expect.stringMatching(/Machine type received is 'pc-i440fx-7.2'/),
    });
    await expect(resume(savedMemory(path), { memoryMiB: 128 })).rejects.toMatchObject({ code: 'machine.refused', message: expect.stringMatching(/pc\.ram/) });
    await expect(resume(savedMemory(path), { devices: [{ driver: 'VGA', addr: '0x2' }] })).rejects.toMatchObject({
      code: 'machine.refused',
      message: expect.stringMatching(/Unknown (savevm section|ramblock)/),
    });
  });

  it.each([
    ['in its first bytes', 3],
    ['in the list of its parts', 200],
    ['in its RAM', 300_000],
    ['in its last device', () => bytes.lastIndexOf('{"page_size"') - 200],
  ])('that was cut %s is refused, and soon', async (_, place) => {
    const begin = performance.now();
    const end = typeof place === 'number' ? place : place();
    expect(end).toBeGreaterThan(0);
    await expect(resume(savedMemory(bytes.subarray(0, end)))).rejects.toMatchObject({ code: 'machine.refused' });
    expect(performance.now() - begin).toBeLessThan(15_000);
  });

  it('that is empty, or none, is refused', async () => {
    await expect(resume(savedMemory(Buffer.alloc(0)))).rejects.toMatchObject({ code: 'machine.refused', message: 'The saved memory is empty.' });
    await expect(resume(savedMemory(Buffer.alloc(1_000_000, 'x')))).rejects.toMatchObject({
      code: 'machine.refused',
      message: expect.stringMatching(/Not a migration stream/),
    });
  });

  it('that cannot be read is our trouble, and no evidence', async () => {
    const broken = () =>
      Readable.from(
        (async function* () {
          yield bytes.subarray(0, 100_000);
          throw new Error('the disk of the host is broken');
        })(),
      );
    await expect(resume(savedMemory(broken))).rejects.toMatchObject({
      code: 'machine.memory',
      message: expect.stringContaining('the disk of the host is broken'),
    });
  });

  it('that comes slowly is waited for', async () => {
    const slow = () =>
      Readable.from(
        (async function* () {
          yield bytes.subarray(0, 100_000);
          await sleep(3_000);
          yield bytes.subarray(100_000);
        })(),
      );
    const machine = await resume(savedMemory(slow));
    await machine.run();
    await lookUntil(machine, ({ status }) => status === 'running');
    await machine.discard();
  });

  it('is let go of when the start is interrupted', async () => {
    const abort = new AbortController();
    const never = () =>
      Readable.from(
        (async function* () {
          yield bytes.subarray(0, 100_000);
          await sleep(60_000, undefined, { signal: abort.signal }).catch(() => undefined);
        })(),
      );
    const starting = bench.session.start({ way: 'resume', description: HARDWARE, memory: savedMemory(never), network: false }, abort.signal);
    setTimeout(() => abort.abort(new Error('enough')), 1_500);
    await expect(starting).rejects.toThrow('enough');
  });
});
