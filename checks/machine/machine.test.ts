/** Machines of every kind of life and death, stated by their behaviour, through procedure and decision. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Artefact, LifeState } from '../../src/ways.js';
import { decide, type LifeOptions } from './decide/decide.js';
import { lastPrompt, recognise } from './decide/texts.js';
import { evaluateLife } from './evaluate.js';
import type { LifeEvidence, ProbeResult } from './evidence.js';
import type { Patience } from './plan.js';
import { observe } from './procedure.js';
import { type Behaviour, SimulatedMachine } from './testing/simulated.js';
import { thinned } from './watch/thinned.js';
import { Watch } from './watch/watch.js';

const OPTIONS: LifeOptions = { powerButton: 'expected', patienceSeconds: 40 };
const PATIENCE: Patience = { silenceMs: 40_000, powerMs: 90_000, bootMs: 600_000, serviceMs: 30_000, wallMs: 3_600_000 };
const keep = async (name: string, mediaType: string, bytes: Uint8Array): Promise<Artefact> => ({
  name,
  mediaType,
  sizeBytes: bytes.length,
  sha256: 'a'.repeat(64),
});

async function watched(behaviour: Behaviour, services: ProbeResult[] = [], encrypted = false): Promise<{ evidence: LifeEvidence; machine: SimulatedMachine }> {
  const machine = new SimulatedMachine(behaviour);
  const watch = new Watch(machine, keep, new AbortController().signal, async (png) => Buffer.from(png).toString(), machine.wait);
  const evidence = await observe(watch, { patience: PATIENCE, askNetwork: async () => services, encrypted, suspicious: false, bootEntriesMissing: false });
  // Evidence is stored as JSON and may be judged again from it.
  return { evidence: JSON.parse(JSON.stringify(evidence)) as LifeEvidence, machine };
}

const service = (changes: Partial<ProbeResult> = {}): ProbeResult => ({
  ...{
    kind: 'service',
    wallMs: 1000,
    guestMs: 1000,
    answered: true,
    proves: 'user-space',
    afterMs: 5,
    what: 'ssh on port 22: SSH-2.0-OpenSSH',
    required: false,
  },
  ...changes,
});

const HEALTHY: Behaviour = {
  busy: [0.1, 0.05],
  switches: 50,
  newCode: 5,
  memoryChanges: 3,
  reacts: { lights: true, keys: true, serial: true },
  powerOffAfterMs: 4_000,
};
const PANIC = '[   12.345678] Kernel panic - not syncing: sysrq triggered crash';
const RESCUE = 'SeaBIOS (version 1.16.2-debian-1.16.2-1)\nBooting from Hard Disk...\nGRUB loading.\nWelcome to GRUB!\nerror: no such partition.\ngrub rescue> ';
const GRUB = 'GNU GRUB  version 2.06\n\n *Debian GNU/Linux';

const CASES: {
  name: string;
  behaviour: Behaviour;
  services?: ProbeResult[];
  encrypted?: boolean;
  state: LifeState;
  verdict: 'passed' | 'failed' | 'inconclusive';
}[] = [
  { name: 'light load', behaviour: { ...HEALTHY, writes: 4 }, state: 'alive', verdict: 'passed' },
  { name: 'idle for long', behaviour: { ...HEALTHY, busy: [0, 0], switches: 0, newCode: 0, memoryChanges: 0 }, state: 'alive-idle', verdict: 'passed' },
  { name: 'busy on all processors', behaviour: { ...HEALTHY, busy: [1, 1], writes: 2 }, state: 'alive-busy', verdict: 'passed' },
  { name: 'blanked screen', behaviour: { ...HEALTHY, screen: () => '', reacts: {} }, state: 'alive-idle', verdict: 'passed' },
  { name: 'very slow host', behaviour: { ...HEALTHY, starved: 0.95, powerOffAfterMs: 80_000 }, state: 'alive-idle', verdict: 'passed' },
  { name: 'panic', behaviour: { busy: [1, 0], screen: () => PANIC }, state: 'panicked', verdict: 'failed' },
  { name: 'panic reported', behaviour: { busy: [0, 0], events: () => [{ event: 'GUEST_PANICKED', data: {} }] }, state: 'panicked', verdict: 'failed' },
  {
    name: 'panic that restarts',
    behaviour: { busy: [0.5, 0], screen: () => PANIC, events: (ms) => (ms > 2000 ? [reset()] : []) },
    state: 'panicked',
    verdict: 'failed',
  },
  { name: 'spinning with interrupts off', behaviour: { busy: [1, 0] }, state: 'hard-hang', verdict: 'failed' },
  {
    name: 'spinning, with another processor that still worked until it waited for the first',
    behaviour: { busy: [1, 1], newCode: 60, memoryChanges: 20, standsAfterMs: 20_000 },
    state: 'hard-hang',
    verdict: 'failed',
  },
  { name: 'spinning, with a timer that still counts', behaviour: { busy: [1], memoryChanges: 1 }, state: 'soft-hang', verdict: 'failed' },
  { name: 'halted, with a timer that still counts', behaviour: { busy: [0.001], memoryChanges: 1 }, state: 'unknown', verdict: 'inconclusive' },
  {
    name: 'busy, on a host that cannot tell whether its code is new',
    behaviour: { busy: [1], memoryChanges: 1, withoutJit: true },
    state: 'unknown',
    verdict: 'inconclusive',
  },
  {
    name: 'at work all the time, and deaf',
    behaviour: { busy: [1, 1], newCode: 60, memoryChanges: 2 },
    state: 'unknown',
    verdict: 'inconclusive',
  },
  { name: 'halted with interrupts off', behaviour: { busy: [0, 0] }, state: 'dead-halt', verdict: 'failed' },
  { name: 'idle, and woken by keys alone', behaviour: { busy: [0, 0], wakesByMs: 5 }, state: 'unknown', verdict: 'inconclusive' },
  { name: 'spinning on a host that gives it no time', behaviour: { busy: [1, 0], starved: 0.99 }, state: 'hard-hang', verdict: 'failed' },
  { name: 'kernel alive, programs stopped', behaviour: { busy: [0, 0], reacts: { lights: true, sysrq: true } }, state: 'unknown', verdict: 'inconclusive' },
  {
    name: 'soft lockup',
    behaviour: { busy: [1, 0.1], reacts: { lights: true }, serial: (ms) => (ms > 9000 ? 'watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [x:1]\n' : '') },
    state: 'soft-hang',
    verdict: 'failed',
  },
  {
    name: 'one of two locked up, with the power button working',
    behaviour: { ...HEALTHY, busy: [1, 0.1], serial: (ms) => (ms > 30_000 ? 'rcu: INFO: rcu_preempt self-detected stall on CPU\n' : '') },
    state: 'partial-hang',
    verdict: 'failed',
  },
  { name: 'requests that nobody finishes', behaviour: { busy: [0.1, 0], pending: 3, reacts: { keys: true } }, state: 'io-hang', verdict: 'failed' },
  {
    name: 'frozen file system',
    behaviour: {
      busy: [0, 0],
      reacts: { keys: true, lights: true },
      serial: (ms) => (ms > 15_000 ? 'INFO: task sh:99 blocked for more than 120 seconds.\n' : ''),
    },
    state: 'io-hang',
    verdict: 'failed',
  },
  {
    name: 'a service, and a power button that leads to nothing',
    behaviour: { busy: [0.1, 0], switches: 5 },
    services: [service()],
    state: 'unknown',
    verdict: 'inconclusive',
  },
  {
    name: 'a service of the policy that is silent',
    behaviour: HEALTHY,
    services: [service({ answered: false, proves: null, required: true })],
    state: 'alive',
    verdict: 'failed',
  },
  {
    name: 'no boot device',
    behaviour: { way: 'boot', busy: [0, 0], screen: () => 'Booting from Hard Disk...\nNo bootable device.' },
    state: 'no-boot-device',
    verdict: 'failed',
  },
  {
    name: 'grub rescue',
    behaviour: { way: 'boot', busy: [1], reacts: { keys: true }, screen: () => RESCUE },
    state: 'stuck-in-loader',
    verdict: 'failed',
  },
  {
    name: 'the prompt of GRUB when it was saved',
    behaviour: { busy: [1], reacts: { keys: true }, screen: () => 'GNU GRUB  version 2.06\n\n Minimal BASH-like line editing is supported.\n\ngrub> ' },
    state: 'stuck-in-loader',
    verdict: 'failed',
  },
  {
    name: 'grub rescue when it was saved',
    behaviour: { busy: [1], reacts: { keys: true }, screen: () => RESCUE },
    state: 'stuck-in-loader',
    verdict: 'failed',
  },
  { name: 'a menu that waits for ever', behaviour: { way: 'boot', busy: [1], screen: () => GRUB }, state: 'stuck-in-loader', verdict: 'failed' },
  {
    name: 'a system that nobody knows, started by a loader',
    behaviour: {
      way: 'boot',
      busy: [1],
      newCode: 50,
      memoryChanges: 90,
      screen: (ms) => (ms < 4_000 ? 'SYSLINUX 6.04 EDD\nboot: ' : `Tester\nPass ${Math.floor(ms / 900)} %`),
    },
    state: 'unknown',
    verdict: 'inconclusive',
  },
  {
    name: 'a system that nobody knows, on the second disk',
    behaviour: {
      way: 'boot',
      busy: [1],
      newCode: 50,
      memoryChanges: 90,
      screen: (ms) => (ms < 4_000 ? 'Boot failed: not a bootable disk' : `Pass ${Math.floor(ms / 900)} %`),
    },
    state: 'unknown',
    verdict: 'inconclusive',
  },
  {
    name: 'boot loop',
    behaviour: { way: 'boot', busy: [0.5], events: (ms) => Array.from({ length: Math.floor(ms / 5000) }, reset) },
    state: 'boot-loop',
    verdict: 'failed',
  },
  {
    name: 'emergency shell',
    behaviour: { way: 'boot', busy: [0.1], reacts: { keys: true }, serial: bootsTo('You are in emergency mode. After logging in, type "journalctl -xb"') },
    state: 'emergency-shell',
    verdict: 'failed',
  },
  {
    name: 'a first disk without a loader, and a second with one',
    behaviour: {
      ...{ ...HEALTHY, way: 'boot' as const, upAfterMs: 60_000 },
      screen: (ms) => (ms > 500 ? 'Boot failed: not a bootable disk' : ''),
      serial: (ms) => (ms > 3_000 ? 'Linux version 6.1.0-13-cloud-amd64\n' : '') + (ms > 60_000 ? 'db1 login: ' : ''),
    },
    state: 'alive',
    verdict: 'passed',
  },
  {
    name: 'emergency shell that takes notice of the power button',
    behaviour: { ...HEALTHY, way: 'boot', serial: bootsTo('You are in emergency mode. After logging in, type "journalctl -xb"') },
    state: 'emergency-shell',
    verdict: 'failed',
  },
  {
    name: 'emergency that somebody ended, and a login after it',
    behaviour: { ...HEALTHY, way: 'boot', serial: bootsTo('You are in emergency mode. After logging in, type "journalctl -xb"\ndb1 login: ') },
    state: 'alive',
    verdict: 'passed',
  },
  {
    name: 'passphrase',
    behaviour: { way: 'boot', busy: [0.1], reacts: { keys: true }, serial: bootsTo('Please unlock disk cryptroot: ') },
    encrypted: true,
    state: 'needs-passphrase',
    verdict: 'inconclusive',
  },
  {
    name: 'a boot that ends without a word, at work',
    behaviour: { ...HEALTHY, way: 'boot', writes: 20, serial: bootsTo('') },
    state: 'alive',
    verdict: 'passed',
  },
  {
    name: 'a boot that is silent for long before somebody takes notice of the power button',
    behaviour: { ...HEALTHY, way: 'boot', writes: 20, serial: bootsTo(''), upAfterMs: 300_000 },
    state: 'alive',
    verdict: 'passed',
  },
  {
    name: 'a boot that works for ever and never takes notice',
    behaviour: { ...HEALTHY, way: 'boot', writes: 20, serial: bootsTo(''), powerOffAfterMs: null },
    state: 'unknown',
    verdict: 'inconclusive',
  },
  {
    name: 'a kernel that found its timer too slow, on a host without time',
    behaviour: { way: 'boot', busy: [1], screen: () => "Kernel panic - not syncing: IO-APIC + timer doesn't work!  Boot with apic=debug" },
    state: 'unknown',
    verdict: 'inconclusive',
  },
  {
    name: 'a panic that only the pixels show',
    behaviour: { busy: [1, 0], screen: () => '---[ end Kernel panic - not syncing: sysrg triggered crash 1---', graphics: true, withoutSerial: true },
    state: 'panicked',
    verdict: 'failed',
  },
  { name: 'a hypervisor that gave up', behaviour: { busy: [1], writes: 0, screen: () => '(XEN) Panic on CPU 0:' }, state: 'panicked', verdict: 'failed' },
  { name: 'a boot to the login prompt', behaviour: { ...HEALTHY, way: 'boot', serial: bootsTo('db1 login: ') }, state: 'alive', verdict: 'passed' },
  {
    name: 'asked for a passphrase, with what our keys led to below',
    behaviour: {
      ...{ busy: [0.1], reacts: { keys: true }, withoutSerial: true },
      screen: (ms) => `Enter passphrase for /dev/vda2:${ms > 4_000 ? '\nsysrq: HELP : loglevel(0-9) reboot(b)' : ''}`,
    },
    state: 'needs-passphrase',
    verdict: 'inconclusive',
  },
  {
    name: 'a boot that checks its disks for long',
    behaviour: {
      ...HEALTHY,
      way: 'boot',
      writes: 3,
      serial: (ms) => `Linux version 6.1\n${'/dev/vda1: 12.3% complete\n'.repeat(Math.min(90, ms / 1000))}${ms > 200_000 ? '\ndb1 login: ' : ''}`,
    },
    state: 'alive',
    verdict: 'passed',
  },
];

function reset(): { event: string; data: Record<string, unknown> } {
  return { event: 'RESET', data: { guest: true, reason: 'guest-reset' } };
}

function bootsTo(end: string): (ms: number) => string {
  return (ms) => `${ms > 2000 ? 'Linux version 6.1.0-13-cloud-amd64\n' : ''}${ms > 8000 ? `systemd[1]: Started.\n${end}` : ''}`;
}

describe('what is concluded of a machine that is', () => {
  it.each(CASES)('$name', async ({ behaviour, services, encrypted, state, verdict }) => {
    const { evidence } = await watched(behaviour, services, encrypted);
    const decision = decide(evidence, OPTIONS);
    expect({ state: decision.state, verdict: decision.verdict }, decision.why).toEqual({ state, verdict });
    const judgement = evaluateLife(evidence, OPTIONS);
    expect(judgement.outcome).toBe(verdict === 'failed' ? 'fail' : 'pass');
    expect(judgement.untested.some(({ holdsData }) => holdsData)).toBe(verdict === 'inconclusive');
    expect(judgement.way).toMatchObject({ state, verdict });
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
