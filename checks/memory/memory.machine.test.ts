/** The checks of saved memory on a real kernel: a small guest whose RAM is a file, in sound states and in each kind of trouble. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { atRandom, endLoad, startLoad, WRITES } from '../../fixtures/memory-guest/loads.js';
import { comparePair, lookAt, type Sight } from '../../fixtures/memory-guest/look.js';
import { openPoint } from '../../fixtures/memory-guest/point.js';
import { SmallGuest } from '../../fixtures/memory-guest/small-guest.js';
import type { Check } from '../../src/check.js';
import { NotTestedError } from '../../src/errors.js';
import type { Judgement } from '../../src/types.js';
import frozen from './frozen/index.js';
import kernelLog from './kernel-log/index.js';
import skew from './skew/index.js';

const INSTANTS = 6;
const PAUSE_MS = 1200;

let guest: SmallGuest;

beforeAll(async () => {
  guest = await SmallGuest.start({ disks: ['ext4', 'xfs', 'btrfs'] });
});
afterAll(() => guest?.destroy());

/** As the runner would: evidence goes through JSON. */
async function judge(...checks: { id: string }[]): Promise<Record<string, Judgement | Error>> {
  await guest.stop();
  const point = await openPoint(await guest.here());
  const judgements: Record<string, Judgement | Error> = {};
  try {
    for (const check of checks as unknown as Check[]) {
      const target = { kind: 'memory' as const, id: 'memory', path: 'ram' };
      try {
        const evidence = JSON.parse(JSON.stringify(await check.collect(target, point.context)));
        judgements[check.id] = check.evaluate(evidence, {});
      } catch (error) {
        judgements[check.id] = error as Error;
      }
    }
  } finally {
    await point.close();
    await guest.resume();
  }
  return judgements;
}

const all = () => judge(kernelLog, frozen, skew);
const outcomes = (judgements: Record<string, Judgement | Error>) => Object.values(judgements).map((one) => (one instanceof Error ? one.name : one.outcome));

describe('memory and disks', () => {
  const sights: Sight[] = [];

  it('of one instant never differ, whatever the guest is writing', async () => {
    await startLoad(guest, WRITES);
    for (let i = 0; i < INSTANTS; i++) {
      await atRandom(PAUSE_MS);
      sights.push(await lookAt(guest));
    }
    await endLoad(guest, WRITES);
    for (const sight of sights)
      expect(comparePair(sight, sight).map(({ type, relation }) => `${type} ${relation}`)).toEqual(['ext4 same', 'xfs same', 'btrfs same']);
  });

  it('of two instants differ, in both directions', () => {
    for (const [i, memory] of sights.entries()) {
      for (const [j, disks] of sights.entries()) {
        if (Math.abs(i - j) < 2) continue;
        const expected = j > i ? 'disk-later' : 'disk-earlier';
        const [ext4, xfs] = comparePair(memory, disks);
        expect([ext4?.relation, xfs?.relation]).toEqual([expected, expected]);
        expect([ext4?.proven, xfs?.proven]).toEqual([true, true]);
      }
    }
  });

  it('are told apart in seconds of the guest', () => {
    const [first, last] = [sights[0] as Sight, sights.at(-1) as Sight];
    const [apart = 0, seconds = 0] = [
      (last.survey.linux?.clock?.wallSeconds ?? 0) - (first.survey.linux?.clock?.wallSeconds ?? 0),
      comparePair(first, last)[0]?.seconds ?? 0,
    ];
    expect(Math.abs(seconds - apart)).toBeLessThan(6); // a journal commits every 5 s at the latest
  });
});

describe('a sound machine', () => {
  it('passes all checks', async () => {
    const judgements = await all();
    expect(outcomes(judgements)).toEqual(['pass', 'pass', 'pass']);
    expect(judgements['memory/kernel-log']).toMatchObject({ findings: [], untested: [] });
    expect(judgements['memory/skew']).toMatchObject({ summary: 'memory and 3 disks are of one instant', untested: [] });
  });

  it('passes when a program writes of a panic', async () => {
    await guest.run('echo "<0>Kernel panic - not syncing: said a program" > /dev/kmsg; echo "Kernel panic - not syncing: in a file" > /mnt/vda/kern.log');
    expect((await judge(kernelLog))['memory/kernel-log']).toMatchObject({ outcome: 'pass', findings: [] });
  });
});

describe('a frozen file system', () => {
  it('is found, and the task that waits for it; after the thaw both are over', async () => {
    await guest.run('echo 10 > /proc/sys/kernel/hung_task_timeout_secs; fsfreeze --freeze /mnt/vdb; (echo x > /mnt/vdb/blocked) & 2>/dev/null');
    await sleep(25_000);
    const judgements = await all();
    expect(outcomes(judgements)).toEqual(['fail', 'fail', 'pass']);
    expect(judgements['memory/kernel-log']).toMatchObject({ findings: [{ code: 'memory.log.hung-task', severity: 'critical' }] });
    expect(judgements['memory/frozen']).toMatchObject({ findings: [{ where: { device: 'vdb', volume: 'disk1', level: 4 } }] });
    await guest.run('fsfreeze --unfreeze /mnt/vdb; wait');
    const after = await all();
    expect(outcomes(after)).toEqual(['pass', 'pass', 'pass']);
    expect(after['memory/kernel-log']).toMatchObject({ findings: [{ code: 'memory.log.hung-task', severity: 'warning' }] });
  });
});

describe('a file system that stopped', () => {
  it('is found while it takes no writes', async () => {
    await guest.run('mount -o remount,errors=remount-ro /mnt/vda; echo 1 > /sys/fs/ext4/vda/trigger_fs_error; sleep 1');
    const judgements = await all();
    expect(judgements['memory/kernel-log']).toMatchObject({ outcome: 'fail' });
    expect((judgements['memory/kernel-log'] as Judgement).summary).toContain('EXT4-fs (vda): Remounting filesystem read-only');
    expect((judgements['memory/skew'] as Judgement).untested).toMatchObject([
      { what: expect.stringContaining('disk0'), why: expect.stringContaining('aborted') },
    ]);
    await guest.run('umount /mnt/vda');
    expect((await judge(kernelLog))['memory/kernel-log']).toMatchObject({ outcome: 'pass' });
  });
});

describe('a reboot', () => {
  it('leaves no kernel that is taken for the running one', async () => {
    await guest.stop();
    await guest.qmp.execute('system_reset');
    await sleep(500);
    await guest.console.expect(/[\s\S]*/, 1000); // prompts of the time before
    const between = await judge(kernelLog, frozen);
    expect(between['memory/frozen']).toBeInstanceOf(NotTestedError);
    // Text that tests before this one wrote still stands in memory: warnings, and nothing that was tested.
    const told = between['memory/kernel-log'];
    if (!(told instanceof NotTestedError)) expect(told).toMatchObject({ outcome: 'pass', tested: [] });
    await guest.console.expect(/small-guest#/, 300_000);
    expect(outcomes(await judge(kernelLog, frozen))).toEqual(['pass', 'pass']);
  });
});

describe('a panic', () => {
  it('is found in the log', async () => {
    guest.console.send('echo c > /proc/sysrq-trigger');
    const judgement = await vi.waitFor(
      async () => {
        const told = (await judge(kernelLog))['memory/kernel-log'] as Judgement;
        expect(told.outcome).toBe('fail');
        return told;
      },
      { timeout: 60_000, interval: 1000 },
    );
    expect(judgement.summary).toContain('the kernel had panicked ("Kernel panic - not syncing: sysrq triggered crash"');
  });
});
