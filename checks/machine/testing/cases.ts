/** Machines of stated behaviour, and what has to be concluded of each. */
import type { LifeState } from '../../../src/ways.js';
import type { ProbeResult } from '../evidence.js';
import type { Behaviour } from './simulated.js';

export const service = (changes: Partial<ProbeResult> = {}): ProbeResult => ({
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

export const HEALTHY: Behaviour = {
  busy: [0.1, 0.05],
  switches: 50,
  newCode: 5,
  memoryChanges: 3,
  reacts: { lights: true, keys: true, serial: true },
  powerOffAfterMs: 4_000,
};
const PANIC = '[   12.345678] Kernel panic - not syncing: sysrq triggered crash';
const RESCUE = 'SeaBIOS (version 1.16.2-debian-1.16.2-1)\nBooting from Hard Disk...\nGRUB loading.\nWelcome to GRUB!\nerror: no such partition.\ngrub rescue> ';
export const GRUB = 'GNU GRUB  version 2.06\n\n *Debian GNU/Linux';

export interface Case {
  name: string;
  behaviour: Behaviour;
  services?: ProbeResult[];
  encrypted?: boolean;
  state: LifeState;
  verdict: 'passed' | 'failed' | 'inconclusive';
}

export const CASES: Case[] = [
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
