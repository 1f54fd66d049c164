/** What was proven, and what was not: side by side, because silence would read as a pass. */
import type { FilledRecord } from '../../dossier.js';
import { listed, nothing } from '../parts.js';
import { html, type Markup } from '../template.js';

const MOST = 400;

export function coverage({ coverage: { tested, untested } }: FilledRecord): Markup {
  const first = [...untested].sort((a, b) => Number(b.holdsData) - Number(a.holdsData));
  const open = listed(first, MOST, ({ what, why, holdsData }) => {
    const flag = holdsData ? html`<span class="flag">may hold data</span>` : null;
    return html`<li><span class="what">${what}</span>${flag}<br><span class="how">${why}</span></li>\n`;
  });
  const done = listed(tested, MOST, ({ what, how }) => html`<li><span class="what">${what}</span><br><span class="how">${how}</span></li>\n`);
  return html`<div class="columns"><div><h3>Not tested</h3>${first.length > 0 ? html`<ul class="plain">${open}</ul>` : nothing('Nothing that is known of.')}</div>
<div><h3>Tested</h3>${tested.length > 0 ? html`<ul class="plain">${done}</ul>` : nothing('Nothing.')}</div></div>
`;
}
