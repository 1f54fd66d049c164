/** Measured times held against the objectives of the policy. */
import type { DrillItem } from '../../../documents.js';
import { bar } from '../../charts/bars.js';
import type { DrillDossier } from '../../dossier.js';
import { formatSpan } from '../../drill-words.js';
import { badge } from '../icons.js';
import { table } from '../parts.js';
import { html, type Markup, type Value } from '../template.js';

const MOST = 1000;
type Bound = NonNullable<DrillItem['rto']>;

export function objectives({ drill }: DrillDossier): Value {
  const rto = of(drill.items, 'rto');
  const rpo = of(drill.items, 'rpo');
  if (rto.length + rpo.length === 0) return null;
  return html`${rto.length > 0 && html`<h3>Recovery time</h3><p class="note">How long the way back took, against what the policy allows.</p>${bounds('Recovery times', rto)}`}${
    rpo.length > 0 &&
    html`<h3>Recovery point</h3><p class="note">The age of the newest restore point of the machine when the drill began.</p>${bounds('Recovery points', rpo)}`
  }`;
}

function of(items: readonly DrillItem[], which: 'rto' | 'rpo'): { machine: string; bound: Bound }[] {
  const all = items.flatMap((item) => (item[which] ? [{ machine: item.machine, bound: item[which] as Bound }] : []));
  const rank = ({ bound }: { bound: Bound }): number => (bound.met === false ? 0 : bound.met === null ? 1 : 2);
  return all.sort((a, b) => rank(a) - rank(b) || share(b.bound) - share(a.bound));
}

const share = ({ measuredSeconds, limitSeconds }: Bound): number => (limitSeconds > 0 ? (measuredSeconds ?? 0) / limitSeconds : 0);

function bounds(caption: string, all: { machine: string; bound: Bound }[]): Markup {
  const columns = [
    { name: 'Machine' },
    { name: 'Outcome' },
    { name: 'Measured', number: true },
    { name: 'Limit', number: true },
    { name: 'Share of the limit', picture: true },
  ];
  const rows = all.slice(0, MOST).map(({ machine, bound }) => [machine, outcome(bound), measured(bound), formatSpan(bound.limitSeconds), drawn(bound)]);
  return html`${table(caption, columns, rows)}${all.length > MOST && html`<p class="note">and ${all.length - MOST} more, in the drill document</p>`}`;
}

const outcome = ({ met }: Bound): Markup => (met === null ? badge('open', 'not measured') : met ? badge('ok', 'met') : badge('bad', 'missed'));
const measured = ({ measuredSeconds }: Bound): string => (measuredSeconds === null ? '–' : formatSpan(measuredSeconds));
const drawn = (bound: Bound): Value => bound.measuredSeconds !== null && bar(share(bound), bound.met === false ? 'missed' : 'a');
