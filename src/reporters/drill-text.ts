/** A drill for a terminal: verdict first, then why, then every restore point, the worst on top. */

import { palette } from './colour.js';
import type { DrillDossier } from './dossier.js';
import { boundText, DRILL_MEANING, itemTotals, needsSomebody, wordOf, worstItemsFirst } from './drill-words.js';
import { visible } from './escape.js';
import type { Terminal } from './formats.js';
import { padEnd, wrap } from './text.js';
import { formatInstant } from './units.js';

const COLUMN = 'INCONCLUSIVE'.length + 2;
const MOST_ITEMS = 1000;

/** Ends with a line feed. */
export function renderDrillText({ drill, records }: DrillDossier, { color, width: wanted }: Terminal): string {
  const width = Math.max(wanted ?? 80, 60);
  const paint = palette(color);
  const list = (items: readonly string[]): string[] => items.slice(0, 60).flatMap((item) => wrap(visible(item), { width, first: '  - ' }));
  const rows = worstItemsFirst(drill.items)
    .slice(0, MOST_ITEMS)
    .flatMap((item) => {
      const first = padEnd(wordOf(item).toUpperCase(), COLUMN);
      const why = needsSomebody(item)
        ? [...item.why, ...(item.verdict === 'passed' ? [] : (records.get(item.recordId ?? '')?.record.reasons.slice(0, 2) ?? []))]
        : [];
      const bounds = [item.rto && `recovery time ${boundText(item.rto)}`, item.rpo && `recovery point ${boundText(item.rpo)}`].filter(Boolean);
      const name = [`${item.machine}, ${item.restorePoint}`, ...bounds].join('; ');
      return [
        ...wrap(visible(name), { width, first, rest: ' '.repeat(COLUMN) }),
        ...why.flatMap((text) => wrap(visible(text), { width, first: ' '.repeat(COLUMN + 2) })),
      ];
    });
  const controls = drill.controls.map(({ name, damage, rejected, why }) => `${name} (${damage}): ${rejected ? 'rejected' : 'NOT rejected'}. ${why}`);
  const overdue = drill.overdue.map(({ machine, lastProvenAt }) => `${machine}: last proven ${lastProvenAt === null ? 'never' : formatInstant(lastProvenAt)}`);
  const sections = [
    wrap(`${drill.verdict.toUpperCase()}: ${DRILL_MEANING[drill.verdict] ?? ''}`, { width }),
    wrap(visible(`Drill ${drill.name} ${drill.id}, ${formatInstant(drill.startedAt)} to ${formatInstant(drill.finishedAt)}. ${itemTotals(drill)}`), { width }),
    drill.reasons.length > 0 ? [paint.bold('Why'), ...list(drill.reasons)] : [],
    rows.length > 0
      ? [paint.bold('Restore points'), ...rows, ...(drill.items.length > MOST_ITEMS ? [`  and ${drill.items.length - MOST_ITEMS} more`] : [])]
      : [],
    overdue.length > 0 ? [paint.bold('Overdue'), ...list(overdue)] : [],
    controls.length > 0 ? [paint.bold('Known-bad restore points'), ...list(controls)] : [],
  ];
  return `${sections
    .filter((section) => section.length > 0)
    .map((section) => section.join('\n'))
    .join('\n\n')}\n`;
}
