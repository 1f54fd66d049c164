/** What the words of a record mean, in sentences for somebody who did not write this program. */
import type { Consistency, Finding, Outcome, Verdict, VerdictWord } from '../types.js';
import { visible } from './escape.js';
import { formatBytes, formatSeconds } from './units.js';

export const VERDICT_MEANING: Record<VerdictWord, string> = {
  passed: 'everything that was required was tested and is in order.',
  failed: 'do not rely on this restore point.',
  inconclusive: 'nothing was found wrong, but not everything that matters could be tested. Do not count this restore point as proven.',
};

export const CONSISTENCY_MEANING: Record<Consistency, string> = {
  application: 'Application-consistent: the databases were shut down, the file systems quiet',
  filesystem: 'File-system-consistent: the file systems were quiet (unmounted or frozen)',
  crash: 'Crash-consistent: like after a power cut',
  none: 'Not consistent: what was captured does not fit together',
  unknown: 'Unknown: nothing that was looked at tells',
};

/** What to do when no check gave advice of its own. */
export const VERDICT_ADVICE: Record<VerdictWord, string> = {
  passed: '',
  failed: 'Keep the newest older restore point that passed; do not let retention remove it. Take a new backup and verify that.',
  inconclusive: 'Keep an older restore point that passed until what is listed as NOT tested was tested.',
};

export const OUTCOME_LABEL: Record<Outcome, string> = { pass: 'pass', fail: 'FAIL', error: 'ERROR', skip: 'skip' };
export const OUTCOMES: Outcome[] = ['fail', 'error', 'pass', 'skip'];

/** `1 failed, 1 could not run, 5 passed, 2 do not apply`. */
export function outcomeCounts(outcomes: Outcome[]): string {
  const said: Record<Outcome, string> = { fail: 'failed', error: 'could not run', pass: 'passed', skip: 'skipped' };
  const parts = OUTCOMES.map((outcome) => ({ outcome, number: outcomes.filter((one) => one === outcome).length }));
  const told = parts.filter(({ number }) => number > 0).map(({ outcome, number }) => `${number} ${said[outcome]}`);
  return told.length > 0 ? told.join(', ') : 'none ran';
}

/** @param sure false when something that could need replay was not looked at: then silence must not read as good news. */
export function recoverySentence({ needed, bytes, seconds }: Verdict['recovery'], sure: boolean): string {
  if (!needed)
    return sure
      ? 'Nothing was seen that must be replayed on the way back.'
      : 'What must be replayed on the way back is not known: not everything was looked at.';
  const amount = bytes > 0 ? `${formatBytes(bytes)} of logs` : 'its logs';
  const time = seconds > 0 ? `, about ${formatSeconds(seconds)} (measured here).` : '. How long that takes was not measured.';
  return `On the way back the machine replays ${amount}${time}`;
}

const STRENGTH: Consistency[] = ['none', 'crash', 'filesystem', 'application'];

/** Whether what the backup claimed is what was there; empty when nothing was claimed. */
export function declaredSentence({ declared, observed }: Verdict['consistency']): string {
  if (declared === 'unknown') return '';
  if (observed === 'unknown') return `Declared as ${declared}: that could not be confirmed.`;
  if (STRENGTH.indexOf(observed) >= STRENGTH.indexOf(declared)) return `Declared as ${declared}: that holds.`;
  return `Declared as ${declared}: that is NOT what was captured.`;
}

/** The message, with the place at its end: `The page is torn (file base/5/2619, block 12).` */
export function withPlace({ message, where }: Pick<Finding, 'message' | 'where'>): string {
  const parts = Object.entries(where).map(([name, value]) => visible(`${name} ${value}`));
  return parts.length > 0 ? `${visible(message).replace(/\.$/, '')} (${parts.join(', ')}).` : visible(message);
}
