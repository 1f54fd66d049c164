/** What went wrong on this host, and what a guest says because of it: no word about the guest. Pure. */
import type { LifeEvidence } from '../evidence.js';
import { atLeast, type Decision, inconclusive, quoted, type Scene, said } from './scene.js';

export function overlayFull({ evidence }: Scene): Decision | null {
  if (evidence.ending !== 'overlay-full') return null;
  return inconclusive('unknown', `It was stopped at a limit of this run. ${evidence.trouble?.message ?? ''}`.trim());
}

/** What the guest does with a disk that fails here says nothing about the guest. */
export function troubleOfThisHost({ evidence }: Scene): Decision | null {
  const { trouble } = evidence;
  return trouble && trouble.kind !== 'overlay-limit' ? inconclusive('unknown', trouble.message) : null;
}

const TIMER_PANIC = /IO-APIC \+ timer doesn't work|timer doesn't work through/;

/** A kernel that starts while the host has no time for it may miss the few ticks by which it tries its timer. It says nothing about the guest. */
export function isTimerTrouble({ way, recognised }: LifeEvidence): boolean {
  return way === 'boot' && recognised.some(({ meaning, text }) => meaning === 'panic' && TIMER_PANIC.test(text));
}

export function timerTrouble({ evidence, proof }: Scene): Decision | null {
  if (!isTimerTrouble(evidence) || atLeast(proof, 'user-space')) return null;
  return inconclusive('unknown', 'Its kernel gave up while it tried its timer, as it does where the host has too little time for it.');
}

/** Watchdogs of a kernel measure on the wall: a vCPU that the host leaves without time for half of their patience may not hang at all. */
const STARVED_MS = 10_000;

export function lockupOfThisHost(scene: Scene): Decision | null {
  const { starvedMs } = scene.activity;
  const text = starvedMs < STARVED_MS ? undefined : said(scene, 'lockup', true);
  if (!text) return null;
  const seconds = (starvedMs / 1000).toFixed(0);
  return inconclusive(
    'unknown',
    `${capital(quoted(text))}, but this host gave a processor of it no time for ${seconds} s: verify it again when less runs beside it.`,
  );
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
