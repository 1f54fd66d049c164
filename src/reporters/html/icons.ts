/** Signs: each has a shape of its own, so that none depends on its colour. Drawn here, because no font is sure to have them. */
import type { InstanceState, Outcome } from '../../types.js';
import { html, type Markup } from './template.js';

export type Tone = 'ok' | 'bad' | 'open' | 'void' | 'none';

/** Decoration: the word always stands beside it. */
export function sign(tone: Tone): Markup {
  return html`<svg class="sign ${tone}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${SHAPES[tone]}</svg>`;
}

const SHAPES: Record<Tone, Markup> = {
  ok: html`<circle class="body" cx="12" cy="12" r="11"/><path class="mark" d="M6.5 12.5l3.8 3.8 7.4-8"/>`,
  bad: html`<path class="body" d="M7.4 1h9.2L23 7.4v9.2L16.6 23H7.4L1 16.6V7.4z"/><path class="mark" d="M8 8l8 8M16 8l-8 8"/>`,
  open: html`<path class="body" d="M12 .8L23.2 12 12 23.2.8 12z"/><path class="mark" d="M9.2 9.6c0-3.6 5.6-3.6 5.6 0 0 2-2.8 2.2-2.8 4.4M12 17.4v.2"/>`,
  void: html`<circle class="body" cx="12" cy="12" r="11"/><path class="mark" d="M5.5 5.5l13 13"/>`,
  none: html`<circle class="body" cx="12" cy="12" r="11"/><path class="mark" d="M7 12h10"/>`,
};

/** Of a record or of a drill. */
export function toneOfVerdict(verdict: string | null): Tone {
  const tones = new Map<string | null, Tone>([
    ['passed', 'ok'],
    ['failed', 'bad'],
    ['inconclusive', 'open'],
    ['void', 'void'],
  ]);
  return tones.get(verdict) ?? 'none';
}

export function toneOfOutcome(outcome: Outcome): Tone {
  const tones: Record<Outcome, Tone> = { pass: 'ok', fail: 'bad', error: 'open', skip: 'none' };
  return tones[outcome] ?? 'none';
}

export function toneOfState(state: InstanceState): Tone {
  if (state === 'clean' || state === 'recoverable') return 'ok';
  return state === 'unknown' ? 'open' : 'bad';
}

/** A word with its sign. */
export function badge(tone: Tone, word: string): Markup {
  return html`<span class="badge ${tone}">${sign(tone)}<span>${word}</span></span>`;
}
