/** Which clauses this serves, by which of its fields, and what is missing: in short for all rules, in full for those that were asked for. */
import { clausesShown } from '../../compliance/index.js';
import type { ClauseShown, FactId, FactShown, Rule, Shown, Subject } from '../../compliance/types.js';
import { badge, sign, type Tone } from './icons.js';
import { table } from './parts.js';
import { html, type Markup, type Value } from './template.js';

const TONES: Record<Shown, Tone> = { shown: 'ok', partly: 'open', missing: 'none' };
const NAMES: Record<FactId, string> = {
  restored: 'Restored',
  integrity: 'Integrity checked',
  reconciled: 'Checked in several ways',
  coverage: 'Scope and gaps',
  separated: 'Kept apart',
  dated: 'Dates',
  result: 'Results',
  'set-up': 'Set-up',
  'time-objective': 'Recovery time objective',
  'age-objective': 'Recovery point objective',
  repeated: 'Repeated',
  sampled: 'Sample',
  reviewed: 'Reviewed',
  corrected: 'Corrected',
  authentic: 'Authentic',
  'can-fail': 'Test can fail',
};

/** @param full every fact with its fields, instead of a mark */
export function rules(all: readonly Rule[], subject: Subject, full: boolean): Value {
  if (all.length === 0) return null;
  const how = full ? null : html` Details and sources: <code>--controls ${all[0]?.id ?? ''}</code>.`;
  return html`<p class="note">This maps fields to clauses. It is no certificate: whether a rule is met is judged by people who see the whole.${how}</p>
${full ? all.map((rule) => inFull(rule, subject)) : html`${LEGEND}${all.map((rule) => inShort(rule, subject))}`}`;
}

const LEGEND = html`<ul class="legend-list">${(['shown', 'partly', 'missing'] as const).map((state) => html`<li>${badge(TONES[state], state)}</li>`)}</ul>`;

function inShort(rule: Rule, subject: Subject): Markup {
  const rows = clausesShown(rule, subject).map(({ clause, asks, facts }) => [clause, asks, html`<ul class="marks">${facts.map(mark)}</ul>`]);
  return html`<h3>${rule.name}</h3>${table(rule.name, [{ name: 'Clause' }, { name: 'Asks' }, { name: 'Shown here' }], rows)}`;
}

function mark({ fact, state }: FactShown): Markup {
  return html`<li><span class="badge ${TONES[state]}">${sign(TONES[state])}<span>${NAMES[fact]}<span class="unseen"> (${state})</span></span></span></li>\n`;
}

function inFull(rule: Rule, subject: Subject): Markup {
  const { source } = rule;
  return html`<h3>${rule.name}</h3>
${clausesShown(rule, subject).map(clause)}
<p class="note">Source: ${source.document} (${source.address}). Read on ${source.readOn}: ${source.readIn}.</p>
`;
}

function clause({ clause: name, asks, facts, notShown }: ClauseShown): Markup {
  return html`<article class="card"><h4>${name}</h4><p>${asks}</p><ul class="plain">${facts.map(inWords)}</ul><p class="note">Not shown here: ${notShown}</p></article>
`;
}

function inWords({ fact, state, fields, says }: FactShown): Markup {
  return html`<li>${badge(TONES[state], state)} <span class="what">${NAMES[fact]}.</span> ${says} <span class="how">Fields: <code>${fields.join(', ')}</code></span></li>\n`;
}
