/** Machines of every kind of life and death, stated by their behaviour, through procedure and decision. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, type LifeOptions } from './decide/decide.js';
import { lastPrompt, recognise } from './decide/texts.js';
import { evaluateLife } from './evaluate.js';
import { BOOTED } from './testing/booted-cases.js';
import { GRUB, HEALTHY, service } from './testing/cases.js';
import { RESUMED } from './testing/resumed-cases.js';
import { watched } from './testing/watched.js';
import { thinned } from './watch/thinned.js';

const OPTIONS: LifeOptions = { powerButton: 'expected', patienceSeconds: 40 };

describe('what is concluded of a machine that is', () => {
  it.each([...RESUMED, ...BOOTED])('$name', async ({ behaviour, services, encrypted, state, verdict }) => {
    const { evidence } = await watched(behaviour, services, encrypted);
    const decision = decide(evidence, OPTIONS);
    expect({ state: decision.state, verdict: decision.verdict }, decision.why).toEqual({ state, verdict });
    const judgement = evaluateLife(evidence, OPTIONS);
    expect(judgement.outcome).toBe(verdict === 'failed' ? 'fail' : 'pass');
    expect(judgement.untested.some(({ holdsData }) => holdsData)).toBe(verdict === 'inconclusive');
    expect(judgement.way).toMatchObject({ state, verdict });
  });
});

describe('of a system that surely ran when it was saved, greeted at once, the same is concluded:', () => {
  it.each(RESUMED.filter(({ state }) => state !== 'stuck-in-loader'))('$name', async ({ behaviour, services, encrypted, state, verdict }) => {
    const { evidence } = await watched(behaviour, services, encrypted, true);
    const decision = decide(evidence, OPTIONS);
    // How busy it was, and what still moved before it hung, is told less well in a shorter time.
    const family = (word: string): string => (word.startsWith('alive') ? 'alive' : word.replace(/^(hard|soft)-/, ''));
    expect({ state: family(decision.state), verdict: decision.verdict }, decision.why).toEqual({ state: family(state), verdict });
  });
});

describe('time', () => {
  it('of a host that gives the guest no processor is not held against it', async () => {
    const slow = await watched({ busy: [1, 0], starved: 0.9 });
    const quick = await watched({ busy: [1, 0] });
    expect(slow.evidence.looks.at(-1)?.wallMs).toBeGreaterThan(5 * (quick.evidence.looks.at(-1)?.wallMs ?? 0));
    expect(decide(slow.evidence, OPTIONS).state).toBe('hard-hang');
  });

  it('that the host kept from a processor altogether makes what the watchdog of the guest says doubtful', async () => {
    const lockup = { busy: [1, 0], screen: (ms: number) => (ms > 5_000 ? 'BUG: soft lockup - CPU#0 stuck for 22s!' : '') };
    const plain = await watched(lockup);
    expect(decide(plain.evidence, OPTIONS).verdict).toBe('failed');
    const starved = await watched({ ...lockup, starved: 0.99 });
    expect(decide(starved.evidence, OPTIONS)).toMatchObject({ state: 'unknown', verdict: 'inconclusive' });
  });

  it('is not spent on complaints of a system that started anew', async () => {
    const deaf = { ...HEALTHY, powerOffAfterMs: null };
    const restarted = await watched({ ...deaf, events: (ms) => (ms > 20_000 ? [{ event: 'RESET', data: { guest: true, reason: 'guest-reset' } }] : []) });
    const same = await watched(deaf);
    expect(restarted.evidence.looks.at(-1)?.wallMs).toBeLessThan(200_000);
    expect(same.evidence.looks.at(-1)?.wallMs).toBeGreaterThan(250_000);
  });

  it.each([5_000, 5_130, 5_260, 5_390])('until a prompt is heard on the serial line is a moment (%d ms)', async (atMs) => {
    const { evidence } = await watched({
      ...HEALTHY,
      way: 'boot',
      lookMs: 20,
      serial: (ms) => (ms >= atMs ? 'Linux version 6.1\ndb1 login: ' : 'Linux version 6.1\n'),
    });
    const heardMs = evidence.stages.find(({ stage }) => stage === 'login')?.wallMs ?? Number.NaN;
    expect(heardMs).toBeGreaterThanOrEqual(atMs);
    expect(heardMs).toBeLessThan(atMs + 100);
  });

  it('too short to tell decides nothing', async () => {
    const { evidence } = await watched({ busy: [1, 0] });
    const cut = { ...evidence, looks: evidence.looks.filter(({ wallMs }) => wallMs < 20_000) };
    expect(decide(cut, OPTIONS)).toMatchObject({ state: 'unknown', verdict: 'inconclusive' });
  });
});

describe('touching', () => {
  it('never confirms anything, and takes back what it typed', async () => {
    const { machine } = await watched(HEALTHY);
    expect(machine.touched).toContain('backspace');
    expect(machine.touched.filter((key) => /ret|enter|\\n|\\r/.test(key))).toEqual([]);
    expect(machine.touched.at(-1)).toBe('power');
  });

  it('leaves a boot menu alone while it counts down', async () => {
    const { machine, evidence } = await watched({
      ...HEALTHY,
      way: 'boot',
      screen: (ms) => (ms < 12_000 ? GRUB : ''),
      serial: (ms) => (ms > 12_000 ? 'Linux version 6.1\n' : '') + (ms > 20_000 ? 'db1 login: ' : ''),
    });
    expect(decide(evidence, OPTIONS).verdict).toBe('passed');
    expect(evidence.probes.every(({ wallMs }) => wallMs > 12_000)).toBe(true);
    expect(machine.touched.length).toBeGreaterThan(0);
  });
});

describe('a loader', () => {
  const MENU = `${GRUB}\n      before booting or 'c' for a command-line.`;
  const FIRMWARE = { busy: [1], reacts: { lights: true } };

  it.each(['boot', 'resume'] as const)('or a firmware in a graphics mode is known as quickly, by %s', async (way) => {
    const { evidence } = await watched({ ...FIRMWARE, way, graphics: true, screen: () => 'UEFI Interactive Shell v2.2\nEDK II\nShell> ' });
    expect(decide(evidence, OPTIONS)).toMatchObject({ state: 'no-boot-device', verdict: 'failed' });
    expect(evidence.looks.at(-1)?.wallMs).toBeLessThan(70_000);
  });

  it.each(['boot', 'resume'] as const)('whose menu waits for ever is known within a minute and a bit, by %s', async (way) => {
    const { evidence } = await watched({ ...FIRMWARE, way, screen: () => MENU });
    expect(decide(evidence, OPTIONS)).toMatchObject({ state: 'stuck-in-loader', verdict: 'failed' });
    expect(evidence.looks.at(-1)?.wallMs).toBeLessThan(70_000);
  });

  it.each(['boot', 'resume'] as const)('at whose prompt a key would stop a hidden countdown is left alone for long, by %s', async (way) => {
    const { evidence } = await watched({ ...FIRMWARE, way, screen: () => 'SYSLINUX 6.04 EDD\nboot: ' });
    expect(decide(evidence, OPTIONS)).toMatchObject({ state: 'stuck-in-loader', verdict: 'failed' });
    expect(evidence.probes[0]?.wallMs).toBeGreaterThan(75_000);
  });

  it('in a graphics mode is left alone after its resume while it counts down', async () => {
    const { evidence } = await watched({
      ...{ ...HEALTHY, way: 'resume', graphics: true, upAfterMs: 25_000 },
      screen: (ms) => (ms < 20_000 ? `Tiny guest\nReboot Into Firmware Interface\nBoot in ${20 - Math.floor(ms / 1000)} s.` : ''),
      serial: (ms) => (ms > 21_000 ? 'Linux version 6.1\n' : '') + (ms > 25_000 ? 'db1 login: ' : ''),
    });
    expect(decide(evidence, OPTIONS).verdict).toBe('passed');
    expect(evidence.probes.every(({ wallMs }) => wallMs > 20_000)).toBe(true);
  });

  it('whose text still stands while a silent system shuts down slowly is no end', async () => {
    const writes = { writes: 1, powerOffAfterMs: 60_000 };
    const { evidence } = await watched({ ...HEALTHY, ...writes, way: 'boot', screen: () => 'SYSLINUX 6.04 EDD\nboot: ' });
    expect(decide(evidence, OPTIONS).verdict).toBe('passed');
  });
});

describe('a processor that hangs', () => {
  it('although the network was answered once is known as soon as the kernel says it', async () => {
    const link = service({ kind: 'link', proves: 'kernel', what: 'the guest was found' });
    const complains = (ms: number): string => (ms > 27_000 ? 'watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [dd:131]\n' : '');
    const { evidence } = await watched({ busy: [1], serial: complains }, [link]);
    expect(decide(evidence, OPTIONS)).toMatchObject({ state: 'soft-hang', verdict: 'failed' });
    expect(evidence.looks.at(-1)?.wallMs).toBeLessThan(60_000);
  });

  it('by its word, while programs run, is given its time to shut down', async () => {
    const complains = (ms: number): string => (ms > 30_000 ? 'watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [dd:131]\n' : '');
    const { evidence } = await watched({ ...HEALTHY, powerOffAfterMs: 60_000, reacts: { lights: true }, serial: complains });
    expect(evidence.probes.find(({ kind }) => kind === 'power')).toMatchObject({ answered: true });
  });
});

describe('old texts', () => {
  it('on the screen of a guest that lives are said, and decide nothing', async () => {
    const { evidence } = await watched({ ...HEALTHY, screen: () => 'INFO: task sync:77 blocked for more than 120 seconds.' });
    expect(decide(evidence, OPTIONS).verdict).toBe('passed');
    expect(evaluateLife(evidence, OPTIONS).findings.map(({ code }) => code)).toContain('machine.text.linux.hung-task');
  });
});

describe('what a resumed screen kept', () => {
  it.each([
    ['a lockup', 'watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [x:1]\nlater\n'],
    ['a boot loader', `${GRUB}\nlater\n`],
    ['a boot from the network', 'No more network devices\nlater\n'],
    ['a boot loader that failed', 'error: unknown filesystem.\nlater\n'],
  ])('of %s fails no guest that ignores the power button', async (_, text) => {
    const lives = { ...HEALTHY, screen: () => text, powerOffAfterMs: null };
    const { evidence: served } = await watched(lives, [service()]);
    expect(decide(served, { ...OPTIONS, powerButton: 'ignored' }).verdict).toBe('passed');
    const { evidence: mute } = await watched(lives);
    expect(decide(mute, OPTIONS).verdict).toBe('inconclusive');
  });
});

describe('recognised texts', () => {
  it.each(['Shell> ', 'Shell>', 'Shel I>', 'Shel1> '])('find the prompt of the firmware however its picture was read: %j', (line) => {
    expect(lastPrompt(`UEFI Interactive Shell v2.2\nEDK II\n${line}`, 'picture')?.code).toBe('firmware.shell');
  });

  it('find a prompt for a login behind which the kernel wrote', () => {
    expect(recognise('db1 login: [    4.063300] IPv6: ADDRCONF(NETDEV_CHANGE): eth0: link becomes ready', 'serial')[0]?.meaning).toBe('login');
  });

  it.each(['Give root password for maintenance', 'Give root password for system maintenance (or type Control-D for normal startup):'])(
    'take "%s" for an emergency',
    (line) => expect(recognise(line, 'serial')[0]?.meaning).toBe('emergency'),
  );

  it.each([
    'Automatic boot in 25 seconds...',
    'Boot in 22 s.',
    'Reboot Into Firnuare Interface',
    '        Press [Tab] to edit options',
    "      before booting or `c' for a command-line.",
    '   The highlighted entry will be executed automatically in 5s.',
  ])('take "%s" for a loader that waits', (line) => expect(recognise(`something above\n${line}`, 'screen').at(-1)?.meaning).toBe('loader'));

  it("are never the kernel's own format strings", () => {
    expect(recognise('Kernel panic - not syncing: %s\nINFO: task %s:%d blocked for more than %ld seconds.', 'serial')).toEqual([]);
  });

  it('are found through the sequences of terminals', () => {
    expect(lastPrompt('\x1b[0m\x1b[1mdb1 login: \x1b[K', 'serial')?.meaning).toBe('login');
  });

  it('never take long, whatever the guest prints', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 5000, unit: 'binary' }), (text) => Array.isArray(recognise(text, 'screen'))),
      { numRuns: 200 },
    );
    const start = performance.now();
    for (const unit of ['fsck.', '\x1b[', 'a ', '/dev/', 'systemd[1', 'root@']) recognise(unit.repeat(300_000), 'serial');
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});

it('thinning keeps the ends and what changed in between', async () => {
  const { evidence } = await watched({ ...HEALTHY, memoryChanges: 2 });
  const [few, all] = [thinned(evidence.looks, 5), evidence.looks];
  expect(few).toHaveLength(5);
  expect([few[0]?.wallMs, few.at(-1)?.wallMs]).toEqual([all[0]?.wallMs, all.at(-1)?.wallMs]);
  const changes = (looks: typeof few): number => looks.reduce((sum, { memory }) => sum + (memory?.changed ?? 0), 0);
  expect(changes(few)).toBe(changes(all));
});
