/** A drill as text: its verdict first, then what needs somebody, then the rest. */
import type { DrillDocument, DrillItem } from '../documents.js';
import { palette, verdictStyle } from './colour.js';
import { visible } from './escape.js';
import { table, wrap } from './text.js';
import { count, formatInstant } from './units.js';

const MAX_REASONS = 20;

/** Ends with a line feed. */
export function renderDrill(drill: DrillDocument, options: { color: boolean; width?: number }): string {
  const width = Math.max(options.width ?? 80, 60);
  const style = verdictStyle(palette(options.color), drill.verdict === 'void' ? 'failed' : drill.verdict);
  const shown = drill.reasons.slice(0, MAX_REASONS);
  if (shown.length < drill.reasons.length) shown.push(`And ${drill.reasons.length - shown.length} more: see --json.`);
  const lines = [
    `${style(drill.verdict.toUpperCase())}  drill ${visible(drill.name)}, ${visible(drill.id)}`,
    ...shown.flatMap((reason) => wrap(visible(reason), { width, first: '  - ' })),
    '',
    ...itemTable(drill.items),
    ...wrap(totals(drill), { width }),
  ];
  return `${lines.join('\n')}\n`;
}

function itemTable(items: DrillItem[]): string[] {
  if (items.length === 0) return [];
  const header = ['RESULT', 'MACHINE', 'TAKEN', 'DEPTH', 'RECORD'];
  return [...table([header, ...[...items].sort((a, b) => rank(a) - rank(b)).map(toRow)], []), ''];
}

/** Worst first. */
function rank({ verdict, state }: DrillItem): number {
  if (verdict === 'failed') return 0;
  if (verdict === 'inconclusive' || state === 'unreadable') return 1;
  return state === 'not-reached' ? 2 : 3;
}

function toRow({ verdict, state, machine, takenAt, depth, recordId }: DrillItem): string[] {
  const result = verdict === null ? state : state === 'still-valid' ? `${verdict} (still valid)` : verdict;
  return [result, visible(machine), takenAt === null ? 'unknown' : formatInstant(visible(takenAt)), depth, recordId ?? '-'];
}

/** One line: what it is about, and how it came out. */
export function totals({ items, overdue, controls, resumed }: DrillDocument): string {
  const of = (test: (item: DrillItem) => boolean): number => items.filter(test).length;
  const rejected = controls.filter((control) => control.rejected).length;
  const parts = [
    `${of(({ verdict }) => verdict === 'passed')} passed`,
    `${of(({ verdict }) => verdict === 'failed')} failed`,
    `${of(({ verdict }) => verdict === 'inconclusive')} inconclusive`,
    `${of(({ state }) => state === 'unreadable')} unreadable`,
    `${of(({ state }) => state === 'not-reached')} not reached`,
    `${overdue.length} overdue`,
    ...(controls.length > 0 ? [`${rejected} of ${controls.filter(({ expected }) => expected !== 'passed').length} known-bad controls rejected`] : []),
    ...(resumed > 0 ? [`resumed ${resumed === 1 ? 'once' : `${resumed} times`}`] : []),
  ];
  return `${count(items.length, 'restore point')}: ${parts.join(', ')}.`;
}
