/** The two sections that matter most at 3 a.m.: why the verdict is what it is, and what to do. */
import type { CheckResult, Finding, VerificationRecord } from '../types.js';
import { visible } from './escape.js';
import type { Page } from './terminal.js';
import { wrap } from './text.js';
import { VERDICT_ADVICE, withPlace } from './words.js';

const MOST_REASONS = 8;
const MOST_FINDINGS = 3;

export function whySection({ record, width, paint }: Page): string[] {
  const told = record.reasons.slice(0, MOST_REASONS).flatMap((reason, index) => {
    const first = `  ${index + 1}. `;
    return [...wrap(visible(reason), { width, first }), ...places(record, reason, width)];
  });
  const more = record.reasons.length - MOST_REASONS;
  return [paint.bold('Why'), ...told, ...(more > 0 ? [`  and ${more} more, in the record`] : [])];
}

/** The places a failed check found, below the reason that it gave. */
function places(record: VerificationRecord, reason: string, width: number): string[] {
  const findings = findingsBehind(record, reason);
  const lines = findings.slice(0, MOST_FINDINGS).flatMap((finding) => wrap(withPlace(finding), { width, first: '     - ' }));
  const more = findings.length - MOST_FINDINGS;
  return [...lines, ...(more > 0 ? [`     - and ${more} more, in the record`] : [])];
}

/** What the failed check found that gave this reason, but for what only repeats it. */
export function findingsBehind(record: Pick<VerificationRecord, 'checks'>, reason: string): Finding[] {
  const check = record.checks.find((one) => one.outcome === 'fail' && reason.startsWith(`${one.target}: ${one.summary}`));
  return (check?.findings ?? []).filter(({ severity, message }) => severity !== 'info' && message !== check?.summary);
}

/** Advice of what failed or could not run, each once; the general advice of the verdict last. */
export function adviceOf(record: Pick<VerificationRecord, 'checks' | 'verdict'>): string[] {
  const concerned = ['fail', 'error'].flatMap((outcome) => record.checks.filter((check) => check.outcome === outcome));
  const advice = [...concerned.sort(byNeed).map((check) => check.advice), VERDICT_ADVICE[record.verdict]];
  return [...new Set(advice.filter((text) => text !== ''))];
}

export function whatToDo({ record, width, paint }: Page): string[] {
  const advice = adviceOf(record);
  if (advice.length === 0) return [];
  return [paint.bold('What to do'), ...advice.flatMap((text) => wrap(visible(text), { width, first: '  - ' }))];
}

function byNeed(a: CheckResult, b: CheckResult): number {
  return Number(b.required) - Number(a.required);
}
