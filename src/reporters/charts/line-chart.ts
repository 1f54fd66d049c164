/**
 * A line chart as SVG: small, so that it can be read on a phone; several stand side by side where there is room. Its title and what it says
 * are text for those who do not see it, and a table of its values goes with it.
 */
import { html, type Markup, safeId } from '../html/template.js';
import { dataTable } from './data-table.js';
import { linear, place, type Scale, ticksUpTo } from './scale.js';
import type { Unit } from './units.js';

export interface Point {
  x: number;
  y: number;
  /** Draws it hollow: measured under other conditions than the rest. */
  hollow?: boolean;
}

export interface Series {
  name: string;
  points: Point[];
  /** Each is told from the others by dashes and marks too, not by its colour alone. */
  look: 'a' | 'b' | 'c' | 'd';
}

export interface Axis {
  from: number;
  to: number;
  ticks: { at: number; label: string }[];
  /** Of the first column of the table. */
  name: string;
  say(value: number): string;
}

export interface LineChart {
  /** Unique within the document. */
  id: string;
  title: string;
  /** What it shows, in a sentence for those who do not see it. */
  says: string;
  unit: Unit;
  x: Axis;
  series: Series[];
  /** Marks each value: for few of them. */
  dots?: boolean;
  /** Highest value of the axis, where it is known beforehand: 100 for percent. */
  most?: number;
  /** Moments worth a line. */
  markers?: { at: number; label: string }[];
}

const WIDTH = 360;
const HEIGHT = 150;
const BOX = { left: 58, right: 350, top: 10, bottom: 124 };

export function lineChart(chart: LineChart): Markup {
  const most = chart.most ?? Math.max(0, ...chart.series.flatMap(({ points }) => points.map(({ y }) => y)));
  const ticks = chart.unit.ticks?.(most) ?? ticksUpTo(most);
  const x = linear(chart.x.from, chart.x.to, BOX.left, BOX.right);
  const y = linear(0, ticks.at(-1) ?? 1, BOX.bottom, BOX.top);
  const id = safeId(chart.id);
  return html`<figure class="chart">
<figcaption>${chart.title}${legend(chart.series)}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${id}-t ${id}-d"><title id="${id}-t">${chart.title}</title><desc id="${id}-d">${chart.says}</desc>
${ticks.map((tick) => horizontal(tick, ticks.at(-1) ?? 1, y, chart.unit))}
${chart.x.ticks.map((tick) => vertical(tick, x))}
${(chart.markers ?? []).map(({ at }) => html`<path class="marker" d="M${place(x.at(at))} ${BOX.top}V${BOX.bottom}"/>`)}
${chart.series.map((series) => drawn(series, x, y, chart.dots ?? false))}
</svg>
${dataTable(chart)}
</figure>
`;
}

function horizontal(tick: number, most: number, y: Scale, unit: Unit): Markup {
  const at = place(y.at(tick));
  return html`<path class="grid" d="M${BOX.left} ${at}H${BOX.right}"/><text class="tick y" x="${BOX.left - 5}" y="${at + 3.5}">${unit.tick(tick, most)}</text>`;
}

function vertical({ at, label }: { at: number; label: string }, x: Scale): Markup {
  const place_ = place(x.at(at));
  const anchor = place_ > BOX.right - 14 ? 'end' : place_ < BOX.left + 14 ? 'start' : 'mid';
  return html`<path class="grid x" d="M${place_} ${BOX.bottom}v4"/><text class="tick x ${anchor}" x="${place_}" y="${BOX.bottom + 17}">${label}</text>`;
}

function drawn({ points, look }: Series, x: Scale, y: Scale, dots: boolean): Markup {
  const path = points.map((point, index) => `${index === 0 ? 'M' : 'L'}${place(x.at(point.x))} ${place(y.at(point.y))}`).join('');
  return html`<path class="line ${look}" d="${path}"/>${dots && points.map((point) => dot(look, place(x.at(point.x)), place(y.at(point.y)), point.hollow ?? false))}`;
}

/** Round, square, pointing up, pointing down. */
function dot(look: Series['look'], x: number, y: number, hollow: boolean): Markup {
  const shapes = {
    a: `M${x - 3.5} ${y}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z`,
    b: `M${x - 3} ${y - 3}h6v6h-6z`,
    c: `M${x} ${y - 4}l4 7h-8z`,
    d: `M${x} ${y + 4}l4 -7h-8z`,
  };
  return html`<path class="dot ${look}${hollow ? ' hollow' : ''}" d="${shapes[look]}"/>`;
}

export function legend(series: { name: string; look: string }[]): Markup | null {
  if (series.length < 2) return null;
  const key = (look: string): Markup =>
    html`<svg class="key" viewBox="0 0 22 8" aria-hidden="true" focusable="false"><path class="line ${look}" d="M0 4h22"/></svg>`;
  return html` <span class="legend">${series.map(({ name, look }) => html`<span>${key(look)} ${name}</span> `)}</span>`;
}
