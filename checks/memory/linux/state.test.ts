import { describe, expect, it } from 'vitest';
import type { TestKernel } from '../testing/kernel.js';
import { makeLinux } from '../testing/linux.js';
import { readClock, readRunClocks } from './clock.js';
import { findKernel } from './find-kernel.js';
import type { LinuxKernel } from './kernel.js';
import { readMounts } from './mounts.js';
import { readTasks } from './tasks.js';

const UUID = '5a1fb0f5-6c1d-4c5e-9a52-2b1f7a3e0c01';

async function opened(made: TestKernel): Promise<LinuxKernel> {
  const { kernel, why } = await findKernel(made.ram, [], [made.infoPage]);
  if (!kernel) throw new Error(why);
  return kernel;
}

describe('mounted file systems', () => {
  it('are those on devices, with the heads of their logs', async () => {
    const made = makeLinux({
      mounts: [
        { device: 'tmpfs', type: 'tmpfs', uuid: UUID },
        { device: 'vda1', type: 'ext4', uuid: UUID, journal: { committed: 98, committing: 99 } },
        { device: 'vdb1', type: 'xfs', uuid: UUID, frozen: 4, readOnly: true, log: { next: [3, 40], written: [3, 38] } },
      ],
    });
    expect(await readMounts(await opened(made))).toEqual([
      {
        ...{ device: 'vda1', type: 'ext4', uuid: UUID, frozen: 0, readOnly: false, steady: true },
        log: { kind: 'jbd2', committed: 98, committing: 99, flushed: false, aborted: false },
      },
      {
        ...{ device: 'vdb1', type: 'xfs', uuid: UUID, frozen: 4, readOnly: true, steady: true },
        log: { kind: 'xfs', next: { cycle: 3, block: 40 }, written: { cycle: 3, block: 38 }, shutDown: false },
      },
    ]);
  });

  it('say when their log had stopped, was flushed, or is not to be relied on', async () => {
    const made = makeLinux({
      mounts: [
        { device: 'a', type: 'ext4', uuid: UUID, journal: { committed: 1, flags: 0x2n } },
        { device: 'b', type: 'ext4', uuid: UUID, journal: { committed: 1, errno: -5 } },
        { device: 'c', type: 'ext4', uuid: UUID, journal: { committed: 1, flags: 0x8n } },
        { device: 'd', type: 'ext4', uuid: UUID, journal: null },
        { device: 'e', type: 'xfs', uuid: UUID, log: { next: [1, 2], written: [1, 2], state: 8n } },
        { device: 'f', type: 'xfs', uuid: UUID, steady: false },
      ],
    });
    const mounts = await readMounts(await opened(made));
    expect(mounts.map(({ log }) => log)).toEqual([
      { kind: 'jbd2', committed: 1, committing: null, flushed: false, aborted: true },
      { kind: 'jbd2', committed: 1, committing: null, flushed: false, aborted: true },
      { kind: 'jbd2', committed: 1, committing: null, flushed: true, aborted: false },
      null,
      { kind: 'xfs', next: { cycle: 1, block: 2 }, written: { cycle: 1, block: 2 }, shutDown: true },
      expect.stringContaining('xlog'),
    ]);
    expect(mounts.map(({ steady }) => steady)).toEqual([true, true, true, true, true, false]);
  });
});

describe('clocks', () => {
  it('are read to the fraction of a second', async () => {
    const kernel = await opened(makeLinux({ wallSeconds: 1_800_000_000.25, upSeconds: 5000.75 }));
    expect((await readClock(kernel))?.wallSeconds).toBeCloseTo(1_800_000_000.25, 3);
    expect(Math.max(...(await readRunClocks(kernel)))).toBeCloseTo(5000.75, 3);
  });

  it('are none when their parts do not agree', async () => {
    const made = makeLinux({});
    const kernel = await opened(made);
    made.write(kernel.symbol('tk_core') + 8n + 32n, Buffer.from([1, 2, 3]));
    expect(await readClock(await opened(made))).toBeNull();
  });
});

describe('tasks', () => {
  it('that cannot be woken are told, the longest waiting first', async () => {
    const made = makeLinux({
      upSeconds: 1000,
      tasks: [
        { name: 'running', pid: 1, state: 0, ranAtSeconds: 999 },
        { name: 'sync', pid: 2, state: 2, ranAtSeconds: 990 },
        { name: 'jbd2/vda1-8', pid: 3, state: 2, ranAtSeconds: 800 },
        { name: 'vfork', pid: 4, state: 0x102, ranAtSeconds: 100 },
        { name: 'idle worker', pid: 5, state: 0x402, ranAtSeconds: 100 },
      ],
    });
    expect(await readTasks(await opened(made))).toEqual({
      threads: 5,
      waiting: [
        { name: 'jbd2/vda1-8', pid: 3, seconds: 200 },
        { name: 'sync', pid: 2, seconds: 10 },
      ],
    });
  });
});
