/** Machines that were booted, and what has to be concluded of each. */
import { bootsTo, type Case, GRUB, HEALTHY, RESCUE, reset } from './cases.js';

export const BOOTED: Case[] = [
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
  { name: 'a menu that waits for ever', behaviour: { way: 'boot', busy: [1], screen: () => GRUB }, state: 'stuck-in-loader', verdict: 'failed' },
  {
    name: 'a system that says nothing and ignores the power button, at work behind the text of its loader',
    behaviour: { ...HEALTHY, way: 'boot', writes: 1, powerOffAfterMs: null, screen: () => 'SYSLINUX 6.04 EDD\nboot: ' },
    state: 'unknown',
    verdict: 'inconclusive',
  },
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
  { name: 'a boot to the login prompt', behaviour: { ...HEALTHY, way: 'boot', serial: bootsTo('db1 login: ') }, state: 'alive', verdict: 'passed' },
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
