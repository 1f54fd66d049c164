/** Known-bad restore points that the drill made itself: they show that the test can fail. */
import type { ControlResult, DrillDocument } from '../../../documents.js';
import { badge } from '../icons.js';
import { nothing, table } from '../parts.js';
import { html, type Value } from '../template.js';

const COLUMNS = [{ name: 'Damage' }, { name: 'Outcome' }, { name: 'Why' }, { name: 'Record' }];

export function controls({ controls: all }: DrillDocument): Value {
  if (all.length === 0) return nothing('None ran along with this drill.');
  return html`<p>The drill made these damaged restore points itself. Each had to be rejected, and for its own damage: a test that cannot fail proves nothing.</p>${table('Known-bad restore points', COLUMNS, all.slice(0, 500).map(row))}`;
}

function row({ name, damage, rejected, why, verdict, recordId }: ControlResult): Value[] {
  const outcome = rejected ? badge('ok', 'rejected') : badge('bad', verdict === null ? 'not rejected' : `not rejected (${verdict})`);
  return [html`${name}<br><span class="how">${damage}</span>`, outcome, why, recordId === null ? '–' : html`<code>${recordId}</code>`];
}
