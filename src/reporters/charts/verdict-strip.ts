/** Verdicts over time: one sign each, oldest first. */
import { badge, type Tone } from '../html/icons.js';
import { html, type Markup } from '../html/template.js';

export interface PastVerdict {
  at: string;
  word: string;
  tone: Tone;
  /** The one that the page is about. */
  current: boolean;
}

export function verdictStrip(title: string, verdicts: PastVerdict[]): Markup {
  return html`<div class="strip"><h3>${title}</h3><ol>${verdicts.map(
    ({ at, word, tone, current }) => html`<li class="${current ? 'current' : 'past'}">${badge(tone, word)}<span class="when">${at.slice(0, 10)}</span></li>\n`,
  )}</ol></div>`;
}
