/** How this machine fared over time. */
import { dateAxis } from '../../charts/axes.js';
import { type LineChart, lineChart, type Point } from '../../charts/line-chart.js';
import { BYTES, SECONDS } from '../../charts/units.js';
import { type PastVerdict, verdictStrip } from '../../charts/verdict-strip.js';
import type { RecordDossier } from '../../dossier.js';
import { type TrendPoint, trendOf } from '../../trends.js';
import { count } from '../../units.js';
import { toneOfVerdict } from '../icons.js';
import { nothing } from '../parts.js';
import { html, type Value } from '../template.js';

export function trends({ record, earlier }: RecordDossier): Value {
  const points = trendOf([...earlier, record]);
  if (points.length < 2) return nothing('There is no earlier record of this machine in the ledger: a trend begins with the second.');
  const charts = [
    restoreTime(points),
    replayTime(points),
    chart(points, REPLAY, (one) => one.replayBytes),
    chart(points, SIZE, (one) => one.sizeBytes),
    chart(points, VERIFY, (one) => one.verifySeconds),
  ];
  const shown = charts.filter((one) => one !== null);
  const emulated = points.some((one) => one.emulated);
  return html`${strip(points, record.id)}<div class="charts">${shown.map(lineChart)}</div>
${emulated && html`<p class="note">Hollow marks: measured under software emulation, many times slower than a restore. They do not compare with the others.</p>`}
<p class="note">From the last ${count(points.length, 'record')} of this machine in the ledger.</p>`;
}

function strip(points: TrendPoint[], current: string): Value {
  const verdicts: PastVerdict[] = points.slice(-24).map(({ at, verdict, recordId }) => ({
    ...{ at: new Date(at).toISOString(), word: verdict, tone: toneOfVerdict(verdict), current: recordId === current },
  }));
  return verdictStrip('Verdicts, oldest first', verdicts);
}

interface Titles {
  id: string;
  title: string;
  says: string;
  unit: LineChart['unit'];
}

const REPLAY: Titles = {
  id: 'trend-replay',
  title: 'Logs to replay',
  says: 'Bytes of logs that file systems and databases replay on the way back.',
  unit: BYTES,
};
const SIZE: Titles = { id: 'trend-size', title: 'Size of the restore point', says: 'Bytes of its disk and memory files.', unit: BYTES };
const VERIFY: Titles = { id: 'trend-verify', title: 'Time of the verification', says: 'How long the verification itself took.', unit: SECONDS };

function chart(points: TrendPoint[], titles: Titles, y: (one: TrendPoint) => number): LineChart {
  const series = [{ name: titles.title, look: 'a' as const, points: points.map((one) => ({ x: one.at, y: y(one) })) }];
  return { ...titles, says: `${titles.says} ${fromTo(titles, points.map(y))}`, x: dateAxis(points.map(({ at }) => at)), series, dots: true };
}

function fromTo({ unit }: Titles, values: number[]): string {
  return `From ${unit.say(values[0] ?? 0)} to ${unit.say(values.at(-1) ?? 0)}, at most ${unit.say(Math.max(...values))}.`;
}

function restoreTime(points: TrendPoint[]): LineChart | null {
  const of = (pick: (one: TrendPoint) => number | null): Point[] =>
    points.flatMap((one) => {
      const y = pick(one);
      return y === null ? [] : [{ x: one.at, y, hollow: one.emulated }];
    });
  const boot = of((one) => one.bootSeconds);
  const resume = of((one) => one.resumeSeconds);
  if (boot.length + resume.length === 0) return null;
  const titles = { id: 'trend-restore', title: 'Restore time', unit: SECONDS };
  const series = [
    ...(boot.length > 0 ? [{ name: 'cold boot', look: 'a' as const, points: boot }] : []),
    ...(resume.length > 0 ? [{ name: 'resume', look: 'b' as const, points: resume }] : []),
  ];
  const says = 'Seconds from the start of the machine until it was at work.';
  return { ...titles, says, x: dateAxis(points.map(({ at }) => at)), series, dots: true };
}

/** Zero means that it was not measured, so it is no point. */
function replayTime(points: TrendPoint[]): LineChart | null {
  const measured = points.filter(({ replaySeconds }) => replaySeconds > 0);
  if (measured.length === 0) return null;
  const titles: Titles = { id: 'trend-recovery', title: 'Recovery time', says: 'Measured seconds of replaying logs.', unit: SECONDS };
  return { ...chart(measured, titles, (one) => one.replaySeconds), x: dateAxis(points.map(({ at }) => at)) };
}
