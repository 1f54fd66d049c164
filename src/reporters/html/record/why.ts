/** Why the verdict is what it is, and what to do about it. */
import type { Finding } from '../../../types.js';
import type { FilledRecord } from '../../dossier.js';
import { adviceOf, findingsBehind } from '../../why.js';
import { CONSISTENCY_MEANING, declaredSentence, recoverySentence } from '../../words.js';
import { listed, placeOf } from '../parts.js';
import { html, type Markup, type Value } from '../template.js';

const MOST = { reasons: 40, places: 10, why: 20 };

export function why(record: FilledRecord): Markup {
  const reason = (text: string): Markup => html`<li>${text}${places(record, text)}</li>\n`;
  return html`<ol class="reasons">${listed(record.reasons, MOST.reasons, reason)}</ol>`;
}

function places(record: FilledRecord, reason: string): Value {
  const findings = findingsBehind(record as Parameters<typeof findingsBehind>[0], reason);
  return findings.length > 0 && html`<ul class="places">${listed(findings, MOST.places, (one) => html`<li>${findingText(one)}</li>`)}</ul>`;
}

export function findingText({ message, where }: Finding): Value {
  const place = placeOf(where);
  return place === '' ? message : html`${message.replace(/\.$/, '')} <span class="how">(${place})</span>.`;
}

export function whatToDo(record: FilledRecord): Value {
  const advice = adviceOf(record);
  return advice.length > 0 && html`<ul>${advice.map((text) => html`<li>${text}</li>\n`)}</ul>`;
}

export function stateAtCapture({ consistency, recovery, verdict, reasons }: FilledRecord): Markup {
  const told = consistency.why.filter((text) => !reasons.includes(text));
  const meaning = CONSISTENCY_MEANING[consistency.observed] ?? consistency.observed;
  return html`<p>${meaning}. ${declaredSentence(consistency)} ${recoverySentence(recovery, verdict !== 'inconclusive')}</p>${
    told.length > 0 && html`<ul>${listed(told, MOST.why, (text) => html`<li>${text}</li>\n`)}</ul>`
  }`;
}
