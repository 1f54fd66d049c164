/** The lists of a report: checks, coverage, deviations, what was left behind. */
import type { CheckResult } from '../types.js';
import { outcomeStyle } from './colour.js';
import { visible } from './escape.js';
import type { Page } from './terminal.js';
import { padEnd, padStart, wrap } from './text.js';
import { formatSeconds } from './units.js';
import { OUTCOME_LABEL, OUTCOMES, outcomeCounts } from './words.js';

const INDENT = ' '.repeat(9);
/** Longer lists hide what matters; the record has all. */
const MOST = { skipped: 12, tested: 40, untested: 60, deviations: 20 };

export function checksSection(page: Page): string[] {
  const { checks } = page.record;
  const told = OUTCOMES.filter((outcome) => outcome !== 'skip').flatMap((outcome) => checks.filter((check) => check.outcome === outcome));
  const skipped = checks.filter((check) => check.outcome === 'skip');
  const lines = [...told.flatMap((check) => checkLines(check, page)), ...listed(skipped, MOST.skipped, (check) => checkLines(check, page))];
  return [`${page.paint.bold('Checks')}: ${outcomeCounts(checks.map(({ outcome }) => outcome))}`, ...lines];
}

function checkLines(check: CheckResult, { width, paint }: Page): string[] {
  const label = OUTCOME_LABEL[check.outcome];
  if (check.outcome === 'skip') return wrap(visible(`${check.id} on ${check.target}: ${check.summary}`), { width, first: `  ${label.padEnd(7)}` });
  const time = formatSeconds(check.durationMs / 1000);
  const name = padEnd(`${visible(check.id)}${check.required ? '' : ' (not required)'}`, width - INDENT.length - 12);
  const head = `  ${outcomeStyle(paint, check.outcome)(label.padEnd(7))}${name}${padStart(time, 12)}`.trimEnd();
  return [head, ...wrap(visible(`${check.target}: ${check.summary}`), { width, first: INDENT })];
}

/** Tested and NOT tested; the second is always there, because silence would read as a pass. */
export function coverageSections({ record, width, paint }: Page): string[][] {
  const { tested, untested } = record.coverage;
  const done = listed(tested, MOST.tested, ({ what, how }) => wrap(visible(`${what}: ${how}`), { width, first: '  + ' }));
  const open = listed(untested, MOST.untested, ({ what, why, holdsData }) => {
    const first = holdsData ? '  ! ' : '  - ';
    return wrap(visible(`${what}${holdsData ? ' (may hold data)' : ''}: ${why}`), { width, first });
  });
  return [
    [paint.bold('Tested'), ...(done.length > 0 ? done : ['  nothing'])],
    [paint.bold('NOT tested'), ...(open.length > 0 ? open : ['  nothing that is known of'])],
  ];
}

export function deviationsSection({ record, width, paint }: Page): string[] {
  if (record.deviations.length === 0) return [];
  return [
    paint.bold('Deviations from the original machine or the usual test'),
    ...listed(record.deviations, MOST.deviations, (text) => wrap(visible(text), { width, first: '  - ' })),
  ];
}

export function cleanupSection({ record, width, paint }: Page): string[] {
  if (record.cleanup.complete) return [];
  const left = listed(record.cleanup.left, MOST.deviations, (text) => wrap(visible(text), { width, first: '  - ' }));
  return [paint.bold('Left behind (the next run tries again to remove it)'), ...left];
}

function listed<T>(items: T[], most: number, render: (item: T) => string[]): string[] {
  const more = items.length - most;
  return [...items.slice(0, most).flatMap(render), ...(more > 0 ? [`  and ${more} more, in the record`] : [])];
}
