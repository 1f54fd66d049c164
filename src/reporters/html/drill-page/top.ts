/** The verdict of a drill, and its numbers. */
import type { DrillDocument, DrillVerdict } from '../../../documents.js';
import { stack } from '../../charts/bars.js';
import type { DrillDossier } from '../../dossier.js';
import { DRILL_MEANING, type Tally, tallyOf } from '../../drill-words.js';
import { count } from '../../units.js';
import { badge, type Tone, toneOfVerdict } from '../icons.js';
import { type Figure, figures } from '../parts.js';
import { verdictBox } from '../record/top.js';
import { html, type Markup } from '../template.js';

export function drillTop({ drill }: DrillDossier): Markup {
  const tally = tallyOf(drill);
  return html`${verdictBox(toneOfVerdict(drill.verdict), drill.verdict, DRILL_MEANING[drill.verdict as DrillVerdict] ?? '')}${balance(tally)}${figures([
    { name: 'Restore points', value: String(drill.items.length), aside: `of ${count(machinesOf(drill), 'machine')}` },
    objective('Recovery time objective', drill, 'rto'),
    objective('Recovery point objective', drill, 'rpo'),
    controlsFigure(drill),
    { name: 'Machines overdue', value: String(drill.overdue.length), aside: drill.overdue.length > 0 ? 'not proven in time' : null },
    { name: 'Not verified', value: String(tally.open), aside: tally.open > 0 ? 'not reached, or not readable' : null },
  ])}
`;
}

/** One bar for all, with its words below: how the restore points of the drill stand. */
function balance(tally: Tally): Markup {
  const parts: { word: string; value: number; tone: Tone }[] = [
    { word: 'passed', value: tally.passed, tone: 'ok' },
    { word: 'failed', value: tally.failed, tone: 'bad' },
    { word: 'inconclusive', value: tally.inconclusive, tone: 'open' },
    { word: 'not verified', value: tally.open, tone: 'none' },
  ];
  const met = parts.filter(({ value }) => value > 0);
  return html`<div class="balance">${stack(met.map(({ value, tone }) => ({ value, look: tone })))}<ul>${met.map(({ word, value, tone }) => html`<li>${badge(tone, `${value} ${word}`)}</li>\n`)}</ul></div>
`;
}

function machinesOf({ items }: DrillDocument): number {
  return new Set(items.map(({ machine }) => machine)).size;
}

function objective(name: string, { items }: DrillDocument, which: 'rto' | 'rpo'): Figure {
  const bounds = items.flatMap((item) => item[which] ?? []);
  const of = (met: boolean | null): number => bounds.filter((bound) => bound.met === met).length;
  if (bounds.length === 0) return { name, value: 'None given', aside: null };
  const aside = [of(false) > 0 ? `${of(false)} missed` : '', of(null) > 0 ? `${of(null)} not measured` : ''].filter(Boolean).join(', ');
  return { name, value: `${of(true)} of ${bounds.length} met`, aside: aside || null };
}

function controlsFigure({ controls }: DrillDocument): Figure {
  const name = 'Known-bad restore points';
  if (controls.length === 0) return { name, value: 'None ran along', aside: null };
  return {
    name,
    value: `${controls.filter(({ rejected }) => rejected).length} of ${controls.length} rejected`,
    aside: 'the test was seen to fail where it must',
  };
}
