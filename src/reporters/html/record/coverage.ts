/** What was proven, and what was not: what was not stands first, because silence would read as a pass. */
import type { UntestedItem } from '../../../types.js';
import type { FilledRecord } from '../../dossier.js';
import { listed, nothing } from '../parts.js';
import { html, type Markup } from '../template.js';

const MOST = 400;

export function coverage({ coverage: { tested, untested } }: FilledRecord): Markup {
  const done = listed(tested, MOST, ({ what, how }) => html`<li><span class="what">${what}</span><br><span class="how">${how}</span></li>\n`);
  return html`<h3>Not tested</h3>${untested.length > 0 ? html`<ul class="plain">${listed(byReason(untested), MOST, untestedItem)}</ul>` : nothing('Nothing that is known of.')}
<h3>Tested</h3>${tested.length > 0 ? html`<ul class="plain many">${done}</ul>` : nothing('Nothing.')}
`;
}

export interface Group {
  why: string;
  holdsData: boolean;
  items: UntestedItem[];
}

/** What may hold data first and each by itself; the rest by its reason, so that a reason that is true of many is read once. */
export function byReason(untested: readonly UntestedItem[]): Group[] {
  const groups: Group[] = untested.filter(({ holdsData }) => holdsData).map((item) => ({ why: item.why, holdsData: true, items: [item] }));
  const rest = new Map<string, Group>();
  for (const item of untested.filter(({ holdsData }) => !holdsData)) {
    const group = rest.get(item.why) ?? { why: item.why, holdsData: false, items: [] };
    group.items.push(item);
    rest.set(item.why, group);
  }
  return [...groups, ...rest.values()];
}

export function untestedItem({ why, holdsData, items }: Group): Markup {
  const [only] = items;
  if (only && items.length === 1) {
    const flag = holdsData ? html` <span class="flag">may hold data</span>` : null;
    return html`<li><span class="what">${only.what}</span>${flag}<br><span class="how">${why}</span></li>\n`;
  }
  return html`<li><span class="what">${items.length} things, for one reason</span><br><span class="how">${why}</span><ul class="names">${listed(items, MOST, ({ what }) => html`<li>${what}</li>\n`)}</ul></li>\n`;
}
