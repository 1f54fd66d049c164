/** The databases of the guest, worst first. */
import type { InstanceResult } from '../../../types.js';
import type { FilledRecord } from '../../dossier.js';
import { effort, stateCounts, worstFirst } from '../../instances.js';
import { badge, toneOfState } from '../icons.js';
import { placeOf, table } from '../parts.js';
import { html, type Markup, type Value } from '../template.js';

const MOST = 300;
const COLUMNS = [{ name: 'Database' }, { name: 'State' }, { name: 'Why' }, { name: 'Way back' }];

export function databases({ instances }: FilledRecord): Value {
  if (instances.length === 0) return null;
  const sorted = worstFirst(instances);
  const more = sorted.length > MOST && html`<p class="note">and ${sorted.length - MOST} more (${stateCounts(sorted.slice(MOST))}), in the record</p>`;
  return html`<p>${stateCounts(sorted)}. ${MEANING}</p>${table('Databases and their states', COLUMNS, sorted.slice(0, MOST).map(row))}${more}`;
}

const MEANING = html`<span class="note">Recoverable: its log covers what is missing in its files, as is normal for a hot backup.</span>`;

function row(instance: InstanceResult): Value[] {
  const place = placeOf(instance.where);
  const where: Markup | null = place === '' ? null : html`<br><span class="how">${place}</span>`;
  return [
    instance.id,
    badge(toneOfState(instance.state), instance.state),
    html`${instance.why}${where}`,
    effort(instance).map((text) => text.replace(/^way back: /, '')),
  ];
}
