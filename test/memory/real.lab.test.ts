import { copyFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runTool } from '../../fixtures/tools.js';
import { openSandbox } from '../../src/labs/sandbox/index.js';
import { openSavedMemory } from '../../src/memory/index.js';
import type { SavedMemory } from '../../src/ways.js';
import { codesOf, pagesOf } from './open-built.js';
import { withQemu } from './qemu.js';

const PC = ['-machine', 'pc', '-m', '64', '-smp', '2', '-vga', 'std', '-device', 'virtio-balloon-pci'];

const RAM_BYTES = 64 * 2 ** 20;

describe('memory that QEMU itself saved', () => {
  let folder: string;
  let stream: string;
  let snapshot: string;
  /** What the guest's memory held, by QEMU's own word. */
  let truth: Buffer;
  const sandbox = openSandbox({ fileBytes: 256 * 2 ** 20 });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'snapproof-memory-lab-'));
    [stream, snapshot] = [join(folder, 'vm.ram'), join(folder, 'disk.qcow2')];
    const disk = join(folder, 'live.qcow2');
    await runTool('qemu-img', ['create', '-q', '-f', 'qcow2', disk, '10M'], { timeoutMs: 20_000 });
    await withQemu([...PC, '-drive', `file=${disk},format=qcow2,if=virtio`], async (qemu, own) => {
      await qemu.runFor(2_000);
      expect(await qemu.monitor('savevm first')).toBe('');
      await qemu.runFor(300);
      expect(await qemu.monitor('savevm second')).toBe('');
      await qemu.qmp.execute('pmemsave', { val: 0, size: RAM_BYTES, filename: join(own, 'ram') });
      truth = await readFile(join(own, 'ram'));
      await copyFile(disk, snapshot);
      await qemu.migrate(stream);
    });
  }, 120_000);
  afterAll(async () => {
    await sandbox.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function open<T>(path: string, use: (memory: SavedMemory) => Promise<T>, options: { snapshot?: string; limitBytes?: number } = {}): Promise<T> {
    const work = await mkdtemp(join(folder, 'work-'));
    const { snapshot: name = null, limitBytes = 256 * 2 ** 20 } = options;
    const signal = new AbortController().signal;
    const memory = await openSavedMemory({ path, snapshot: name, format: 'unknown', folder: work, sandbox, limitBytes, signal });
    return use(memory).finally(() => memory.close());
  }

  async function expectMachine(memory: SavedMemory): Promise<void> {
    expect(memory.facts).toMatchObject({ complete: true, findings: [], ramBytes: RAM_BYTES, runState: 'paused' });
    expect(memory.facts.machineType).toMatch(/^pc-i440fx-/);
    expect(memory.facts.cpus.map(({ index, halted }) => [index, halted])).toEqual([
      [0, true],
      [1, true],
    ]);
    expect(memory.facts.devices.find(({ name }) => name.endsWith('virtio-blk'))).toMatchObject({
      pci: { id: '1af4:1001' },
      virtio: { capacityBytes: 10 * 2 ** 20 },
    });
    expect(memory.ram?.ranges).toEqual([{ address: 0, lengthBytes: RAM_BYTES }]);
    expect((await pagesOf(memory)).length).toBeGreaterThan(1);
  }

  it('is read from a stream, and the RAM is what the guest had', async () => {
    await open(stream, async (memory) => {
      await expectMachine(memory);
      const ram = (await memory.ram?.read(0, RAM_BYTES)) as Buffer;
      // Video memory covers the RAM between the two.
      expect(ram.subarray(0, 0xa0000).equals(truth.subarray(0, 0xa0000))).toBe(true);
      expect(ram.subarray(0xc0000).equals(truth.subarray(0xc0000))).toBe(true);
      const pages = await pagesOf(memory);
      expect(pages.every(({ address, bytes }) => bytes.equals(ram.subarray(address, address + bytes.length)))).toBe(true);
      for (const { address, bytes } of pages) ram.fill(0, address, address + bytes.length);
      expect(ram.every((byte) => byte === 0)).toBe(true);
    });
  });

  it.each([
    ['gzip', ['-k']],
    ['zstd', ['-q']],
    ['xz', ['-k0']],
    ['bzip2', ['-k1']],
    ['lzop', ['-q']],
  ] as const)('is read packed with %s and found cut when the packed file is', async (tool, args) => {
    const packed = await pack(tool, args);
    await open(packed, async (memory) => {
      expect(memory.facts.compression).toBe(tool);
      await expectMachine(memory);
    });
    await truncate(packed, Math.floor((await stat(packed)).size / 2));
    await open(packed, async (memory) => {
      expect(memory.facts.complete).toBe(false);
      expect(codesOf(memory)).toContain('memory.packed');
    });
  });

  async function pack(tool: string, args: readonly string[]): Promise<string> {
    const suffix = { gzip: 'gz', zstd: 'zst', xz: 'xz', bzip2: 'bz2', lzop: 'lzo' }[tool];
    await runTool(tool, [...args, '-f', stream], { timeoutMs: 60_000 });
    return `${stream}.${suffix}`;
  }

  it('that unpacks to more than the limit is not tested, and nothing of it stays', async () => {
    const bomb = join(folder, 'bomb.zst');
    await writeFile(join(folder, 'zeroes'), '');
    await truncate(join(folder, 'zeroes'), 300 * 2 ** 20);
    await runTool('zstd', ['-qf', join(folder, 'zeroes'), '-o', bomb], { timeoutMs: 60_000 });
    await expect(open(bomb, async () => undefined)).rejects.toThrow(/unpacks to more than/);
  });

  it('is read out of the snapshots of a qcow2 disk, by name, id or alone', async () => {
    await open(snapshot, (memory) => expectMachine(memory), { snapshot: 'second' });
    await open(snapshot, (memory) => expectMachine(memory), { snapshot: '1' });
    await open(snapshot, async (memory) => expect(codesOf(memory)).toEqual(['memory.qcow2.no-snapshot']));
    await open(snapshot, async ({ facts }) => expect(facts.findings[0]?.message).toMatch(/it has memory in "first", "second"/), { snapshot: 'third' });
    const cut = join(folder, 'cut.qcow2');
    await copyFile(snapshot, cut);
    await truncate(cut, (await stat(cut)).size - 200 * 1024);
    // The clusters of the memory lie before the table that names them: to cut them is to cut it too.
    await open(
      cut,
      async (memory) => {
        expect(memory.facts.complete).toBe(false);
        expect(codesOf(memory)).toContain('memory.snapshot.cut');
      },
      { snapshot: 'second' },
    );
  });

  it('never throws and never takes long when bytes of it are overwritten', async () => {
    const whole = await readFile(stream);
    const path = join(folder, 'damaged.ram');
    // Every region: head, list of blocks, pages, device states, description.
    for (let round = 0; round < 120; round++) {
      const damaged = Buffer.from(whole);
      const at = round % 3 === 0 ? (round * 7) % 700 : round % 3 === 1 ? Math.floor((whole.length * round) / 120) : whole.length - 1 - round * 1701;
      damaged.fill(255 - round, at, at + 1 + (round % 9));
      await writeFile(path, damaged);
      const begin = performance.now();
      await open(path, async ({ facts }) => expect(facts.findings.length).toBeLessThan(100));
      expect(performance.now() - begin).toBeLessThan(5_000);
    }
  }, 120_000);
});
