/** What a machine did while it came back, seen from outside: processor, disks, memory, screen. */
import type { Way } from '../../../ways.js';
import { runAxis } from '../../charts/axes.js';
import { type LineChart, lineChart, type Series } from '../../charts/line-chart.js';
import { BYTES_PER_SECOND, NUMBER, PERCENT } from '../../charts/units.js';
import { type Activity, type Timeline, thinned } from '../../progress-series.js';
import { formatBytes, formatSeconds } from '../../units.js';
import { html, type Value } from '../template.js';

/** As many as there is room for in a drawing. */
const MOST_MOMENTS = 200;
const BUCKETS = 40;

export function wayCharts(way: Way, activity: readonly Activity[], timeline: Timeline | null): Value {
  const last = activity.at(-1);
  if (!last) return null;
  const moments = thinned(activity, MOST_MOMENTS);
  const markers = (timeline?.stages ?? []).map(({ stage, atSeconds }) => ({ at: atSeconds, label: stage })).filter(({ at }) => at <= last.atSeconds);
  const frame = { x: runAxis(last.atSeconds), markers };
  const charts: LineChart[] = [
    { ...frame, id: `${way}-processor`, ...processor(moments) },
    { ...frame, id: `${way}-disks`, ...disks(moments, activity) },
    ...(moments.some(({ memory }) => memory !== null) ? [{ ...frame, id: `${way}-memory`, ...memory(moments) }] : []),
    { ...frame, id: `${way}-screen`, ...screen(activity, last.atSeconds) },
  ];
  const marked = markers.length > 0 ? ' Upright lines: stages of the boot.' : '';
  return html`<h4>What was seen from outside</h4><div class="charts">${charts.map(lineChart)}</div><p class="note">Nothing is installed in the guest: these are counters of the machine around it.${marked}</p>`;
}

type Drawn = Pick<LineChart, 'title' | 'says' | 'unit' | 'series' | 'most'>;

const series = (name: string, look: Series['look'], moments: readonly Activity[], y: (one: Activity) => number): Series => ({
  ...{ name, look },
  points: moments.map((one) => ({ x: one.atSeconds, y: y(one) })),
});

function processor(moments: Activity[]): Drawn {
  const busiest = Math.max(...moments.map(({ busy }) => busy));
  const waited = Math.max(...moments.map(({ waited }) => waited));
  return {
    ...{ title: 'Processor', unit: PERCENT, most: 100 },
    says: `Share of its processors that the machine used, at most ${PERCENT.say(busiest)}; it waited for a processor of the host up to ${PERCENT.say(waited)} of the time.`,
    series: [series('at work', 'a', moments, ({ busy }) => busy), series('waiting for the host', 'b', moments, ({ waited }) => waited)],
  };
}

function disks(moments: Activity[], all: readonly Activity[]): Drawn {
  const peak = Math.max(...all.map(({ readBytesPerSecond, writtenBytesPerSecond }) => Math.max(readBytesPerSecond, writtenBytesPerSecond)));
  return {
    ...{ title: 'Disks', unit: BYTES_PER_SECOND },
    says: `What the machine read from its disks and wrote to the throw-away overlay, at most ${formatBytes(peak)} a second.`,
    series: [
      series('read', 'a', moments, ({ readBytesPerSecond }) => readBytesPerSecond),
      series('written', 'b', moments, ({ writtenBytesPerSecond }) => writtenBytesPerSecond),
    ],
  };
}

function memory(moments: Activity[]): Drawn {
  const points = moments.flatMap(({ atSeconds, memory }) => (memory === null ? [] : [{ x: atSeconds, y: memory }]));
  return {
    ...{ title: 'Memory that changed', unit: PERCENT },
    says: `Share of a sample of memory pages that changed between two looks, at most ${PERCENT.say(Math.max(0, ...points.map(({ y }) => y)))}.`,
    series: [{ name: 'changed', look: 'a', points }],
  };
}

/** Counted over equal stretches: single changes would be a comb that nobody can read. */
function screen(activity: readonly Activity[], seconds: number): Drawn {
  const changes = Array.from({ length: BUCKETS }, () => 0);
  for (const { atSeconds, screenChanged } of activity) {
    const bucket = Math.min(Math.floor((atSeconds / seconds) * BUCKETS), BUCKETS - 1);
    if (screenChanged) changes[bucket] = (changes[bucket] ?? 0) + 1;
  }
  const points = changes.map((y, index) => ({ x: ((index + 1) / BUCKETS) * seconds, y }));
  const total = changes.reduce((sum, one) => sum + one, 0);
  return {
    ...{ title: 'Changes of the screen', unit: NUMBER },
    says: `How often the screen was another one than at the look before: ${total} times, counted over stretches of ${formatSeconds(seconds / BUCKETS)}.`,
    series: [{ name: 'changes', look: 'a', points }],
  };
}
