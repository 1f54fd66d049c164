/** Several records at a glance: the worst first, so that what needs somebody is on top. */
import type { VerdictWord, VerificationRecord } from '../types.js';
import { palette, verdictStyle } from './colour.js';
import { visible } from './escape.js';
import { padEnd, textWidth, wrap } from './text.js';
import { count, formatInstant } from './units.js';

const WORST_FIRST: VerdictWord[] = ['failed', 'inconclusive', 'passed'];
const COLUMN = 'INCONCLUSIVE'.length;

/** Ends with a line feed. */
export function renderSummary(records: VerificationRecord[], options: { color: boolean; width?: number }): string {
  const width = Math.max(options.width ?? 80, 60);
  const paint = palette(options.color);
  const sorted = WORST_FIRST.flatMap((verdict) => records.filter((record) => record.verdict === verdict));
  const lines = sorted.flatMap((record) => {
    const word = verdictStyle(paint, record.verdict)(padEnd(record.verdict.toUpperCase(), COLUMN));
    const [first = '', ...rest] = wrap(nameOf(record), { width, first: ' '.repeat(COLUMN + 2) });
    const reason = record.verdict === 'passed' ? [] : wrap(visible(record.reasons[0] ?? ''), { width, first: ' '.repeat(COLUMN + 4) });
    return [`${word}${first.slice(COLUMN)}`, ...rest, ...reason];
  });
  return `${[...lines, '', ...wrap(totals(records), { width })].join('\n').trimStart()}\n`;
}

function nameOf({ restorePoint, consistency }: VerificationRecord): string {
  const { machine, id, takenAt } = restorePoint;
  const taken = takenAt ? `, taken ${formatInstant(visible(takenAt))}` : '';
  const point = textWidth(id) > 0 && id !== machine ? `, ${visible(id)}` : '';
  return `${visible(machine)}${point}${taken}; consistency ${consistency.observed}`;
}

function totals(records: VerificationRecord[]): string {
  const of = (verdict: VerdictWord): number => records.filter((record) => record.verdict === verdict).length;
  return `${count(records.length, 'restore point')}: ${of('passed')} passed, ${of('failed')} failed, ${of('inconclusive')} inconclusive.`;
}
