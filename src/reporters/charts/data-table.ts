/** The values of a chart as a table: for those who do not see it, and for those who want the numbers. */
import { html, type Markup } from '../html/template.js';
import type { LineChart, Series } from './line-chart.js';

const MOST_ROWS = 30;

export function dataTable({ title, x, series, unit }: LineChart): Markup {
  const all = [...new Set(series.flatMap(({ points }) => points.map((point) => point.x)))].sort((a, b) => a - b);
  const rows = spread(all, MOST_ROWS);
  const note = rows.length < all.length ? ` (${rows.length} of ${all.length} moments)` : '';
  const byX = series.map(({ points }) => new Map(points.map((point) => [point.x, point])));
  const cell = (points: Map<number, Series['points'][number]>, at: number): string => {
    const point = points.get(at);
    return point ? `${unit.say(point.y)}${point.hollow ? ' (emulated)' : ''}` : '–';
  };
  return html`<details class="data"><summary>As a table<span class="unseen">: ${title}</span>${note}</summary><table><thead><tr><th scope="col">${x.name}</th>${series.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map((at) => html`<tr><th scope="row">${x.say(at)}</th>${byX.map((points) => html`<td>${cell(points, at)}</td>`)}</tr>\n`)}</tbody></table></details>`;
}

/** So many of a list at most, evenly spread, first and last among them. */
export function spread<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, index) => items[Math.round((index * (items.length - 1)) / (most - 1))] as T);
}
