/** The lists of a report: checks, coverage, deviations, what was left behind. */
import type { CheckResult } from '../types.js';
import { outcomeStyle } from './colour.js';
import { visible } from './escape.js';
import type { Page } from './terminal.js';
import { padEnd, padStart, wrap } from './text.js';
import { formatSeconds } from './units.js';
import { OUTCOME_LABEL, OUTCOMES, outcomeCounts } from './words.js';

const INDENT = ' '.repeat(9);

export function checksSection(page: Page): string[] {
  const { checks } = page.record;
  const sorted = OUTCOMES.flatMap((outcome) => checks.filter((check) => check.outcome === outcome));
  return [`${page.paint.bold('Checks')}: ${outcomeCounts(checks.map(({ outcome }) => outcome))}`, ...sorted.flatMap((check) => checkLines(check, page))];
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
  const done = tested.flatMap(({ what, how }) => wrap(visible(`${what}: ${how}`), { width, first: '  + ' }));
  const open = untested.flatMap(({ what, why, holdsData }) => {
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
    ...record.deviations.flatMap((text) => wrap(visible(text), { width, first: '  - ' })),
  ];
}

export function cleanupSection({ record, width, paint }: Page): string[] {
  if (record.cleanup.complete) return [];
  const left = record.cleanup.left.flatMap((text) => wrap(visible(text), { width, first: '  - ' }));
  return [paint.bold('Left behind (the next run tries again to remove it)'), ...left];
}
