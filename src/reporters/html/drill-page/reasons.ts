/** Why the drill has its verdict, and which machines were not proven in time. */
import type { DrillDocument } from '../../../documents.js';
import { formatSpan } from '../../drill-words.js';
import { listed, table, when } from '../parts.js';
import { html, type Value } from '../template.js';

const MOST = { reasons: 60, overdue: 500 };

export function reasons({ reasons: all }: DrillDocument): Value {
  return all.length > 0 && html`<ol class="reasons">${listed(all, MOST.reasons, (text) => html`<li>${text}</li>\n`)}</ol>`;
}

export function overdue({ overdue: all }: DrillDocument): Value {
  if (all.length === 0) return null;
  const rows = all
    .slice(0, MOST.overdue)
    .map(({ machine, lastProvenAt, dueEverySeconds }) => [
      machine,
      lastProvenAt === null ? html`<strong>never</strong>` : when(lastProvenAt),
      formatSpan(dueEverySeconds),
    ]);
  const columns = [{ name: 'Machine' }, { name: 'Last proven' }, { name: 'Due every', number: true }];
  return html`<p>Nothing has proven these machines within the time that the policy gives them.</p>${table('Machines that are overdue', columns, rows)}`;
}
