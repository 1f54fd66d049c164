/** How this drill went over time. */
import type { DrillDocument } from '../../../documents.js';
import { dateAxis } from '../../charts/axes.js';
import { lineChart } from '../../charts/line-chart.js';
import { NUMBER, SECONDS } from '../../charts/units.js';
import { type PastVerdict, verdictStrip } from '../../charts/verdict-strip.js';
import type { DrillDossier } from '../../dossier.js';
import { type Tally, tallyOf } from '../../drill-words.js';
import { count } from '../../units.js';
import { toneOfVerdict } from '../icons.js';
import { nothing } from '../parts.js';
import { html, type Value } from '../template.js';

interface Past {
  at: number;
  seconds: number;
  drill: DrillDocument;
  tally: Tally;
}

export function drillTrends({ drill, earlier }: DrillDossier): Value {
  const all = [...earlier, drill].map(pastOf).filter(({ at }) => Number.isFinite(at) && Math.abs(at) < 8e15);
  const past = all.sort((a, b) => a.at - b.at).slice(-60);
  if (past.length < 2) return nothing('There is no earlier drill of this name in the ledger: a trend begins with the second.');
  const x = dateAxis(past.map(({ at }) => at));
  const points = (y: (one: Past) => number) => past.map((one) => ({ x: one.at, y: y(one) }));
  return html`${strip(past, drill.id)}<div class="charts">${lineChart({
    ...{ id: 'drill-verdicts', title: 'Restore points by verdict', unit: NUMBER, x, dots: true },
    says: 'How many restore points of each drill passed, failed, or are not proven (inconclusive, or not verified).',
    series: [
      { name: 'passed', look: 'c', points: points(({ tally }) => tally.passed) },
      { name: 'failed', look: 'b', points: points(({ tally }) => tally.failed) },
      { name: 'not proven', look: 'd', points: points(({ tally }) => tally.inconclusive + tally.open) },
    ],
  })}${lineChart({
    ...{ id: 'drill-time', title: 'Time of the drill', unit: SECONDS, x, dots: true },
    says: 'From its beginning to its end.',
    series: [{ name: 'took', look: 'a', points: points(({ seconds }) => seconds) }],
  })}</div><p class="note">From the last ${count(past.length, 'drill')} of this name in the ledger.</p>`;
}

function pastOf(drill: DrillDocument): Past {
  const at = Date.parse(drill.startedAt);
  return { at, seconds: Math.max(0, (Date.parse(drill.finishedAt) - at) / 1000) || 0, drill, tally: tallyOf(drill) };
}

function strip(past: Past[], current: string): Value {
  const verdicts: PastVerdict[] = past.slice(-24).map(({ at, drill }) => ({
    ...{ at: new Date(at).toISOString(), word: drill.verdict, tone: toneOfVerdict(drill.verdict), current: drill.id === current },
  }));
  return verdictStrip('Verdicts, oldest first', verdicts);
}
