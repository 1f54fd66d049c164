/** What the rules of the decision share: what they ask of what was seen, and the words they answer with. Pure. */
import type { VerdictWord } from '../../../src/types.js';
import type { LifeState } from '../../../src/ways.js';
import type { LifeEvidence, ProbeResult, ProofLevel, Recognised, TextMeaning } from '../evidence.js';
import { type Activity, activityOf } from './signals.js';

export interface LifeOptions {
  /** `expected`: only an orderly shutdown at the power button makes a pass. `ignored`: a service that answers does. */
  powerButton: 'expected' | 'ignored';
  /** How long a guest may leave every stimulus unanswered before it counts as hung: seconds that it really had. */
  patienceSeconds: number;
}

export interface Decision {
  state: LifeState;
  verdict: VerdictWord;
  why: string;
}

/** Everything that the rules ask for, worked out once. */
export interface Scene {
  evidence: LifeEvidence;
  options: LifeOptions;
  activity: Activity;
  proof: ProofLevel | null;
  power: ProbeResult | undefined;
  restarts: number;
}

export type Rule = (scene: Scene) => Decision | null;

export function sceneOf(evidence: LifeEvidence, options: LifeOptions): Scene {
  return {
    ...{ evidence, options, activity: activityOf(evidence.looks), proof: strongestProof(evidence.probes) },
    power: evidence.probes.find(({ kind }) => kind === 'power'),
    restarts: evidence.events.filter(({ event, data }) => event === 'RESET' && data.guest === true).length,
  };
}

const LEVELS: ProofLevel[] = ['processor', 'kernel', 'user-space', 'orderly'];

function strongestProof(probes: ProbeResult[]): ProofLevel | null {
  const levels = probes.flatMap(({ proves }) => (proves === null ? [] : [LEVELS.indexOf(proves)]));
  return LEVELS[Math.max(...levels)] ?? null;
}

export const atLeast = (proof: ProofLevel | null, level: ProofLevel): boolean => proof !== null && LEVELS.indexOf(proof) >= LEVELS.indexOf(level);

export const failed = (state: LifeState, why: string): Decision => ({ state, verdict: 'failed', why });
export const inconclusive = (state: LifeState, why: string): Decision => ({ state, verdict: 'inconclusive', why });

export const said = ({ evidence }: Scene, meaning: TextMeaning, fresh = false): Recognised | undefined =>
  evidence.recognised.find((text) => text.meaning === meaning && (text.fresh || !fresh));

/**
 * That it stands there now: what a loader wrote is over when something else shows, although nobody knows what that is. A resumed screen
 * keeps what a boot once wrote above: there only the last line counts.
 */
export function shownNow({ way, prompt, standing }: Pick<LifeEvidence, 'way' | 'prompt' | 'standing'>): Recognised[] {
  if (way === 'boot') return standing;
  return prompt ? [prompt] : [];
}

export const shows = ({ evidence }: Scene, meaning: TextMeaning): Recognised | undefined => shownNow(evidence).find((text) => text.meaning === meaning);

export const quoted = ({ text, source }: Recognised): string => `the ${source === 'serial' ? 'serial line' : 'screen'} says "${text}"`;

export const reachedKernel = ({ stages }: Pick<LifeEvidence, 'stages'>): boolean => stages.some(({ stage }) => stage !== 'firmware' && stage !== 'loader');
