/** A bar in a row of a table, for a number that stands beside it. */
import { html, type Markup } from '../html/template.js';
import { place } from './scale.js';

/** @param share of the longest one: 0 to 1 */
export function bar(share: number, look = 'a'): Markup {
  const width = place(Math.min(Math.max(share, 0), 1) * 100);
  return html`<svg class="bar ${look}" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect class="rest" width="100" height="8"/><rect class="part" width="${width}" height="8"/></svg>`;
}

/** Parts of a whole side by side, each with its look. */
export function stack(parts: { value: number; look: string }[]): Markup {
  const whole = parts.reduce((sum, { value }) => sum + value, 0);
  let at = 0;
  const drawn = parts.map(({ value, look }) => {
    const width = whole > 0 ? (value / whole) * 100 : 0;
    const rect = html`<rect class="${look}" x="${place(at)}" width="${place(width)}" height="8"/>`;
    at += width;
    return rect;
  });
  return html`<svg class="stack" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false">${drawn}</svg>`;
}
