/** Which clauses this serves, by which of its fields, and what is missing. */
import { clausesShown } from '../../compliance/index.js';
import type { ClauseShown, FactShown, Rule, Shown, Subject } from '../../compliance/types.js';
import { badge, type Tone } from './icons.js';
import { html, type Markup, type Value } from './template.js';

const TONES: Record<Shown, Tone> = { shown: 'ok', partly: 'open', missing: 'none' };
const NAMES: Record<FactShown['fact'], string> = {
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

export function rules(all: readonly Rule[], subject: Subject): Value {
  if (all.length === 0) return null;
  return html`<p class="note">This maps fields to clauses. It is no certificate: whether a rule is met is judged by people who see the whole.</p>${all.map((rule) => oneRule(rule, subject))}`;
}

function oneRule(rule: Rule, subject: Subject): Markup {
  const { source } = rule;
  return html`<h3>${rule.name}</h3>
${clausesShown(rule, subject).map(clause)}
<p class="note">Source: ${source.document} (${source.address}). Read on ${source.readOn}: ${source.readIn}.</p>
`;
}

function clause({ clause: name, asks, facts, notShown }: ClauseShown): Markup {
  return html`<article class="card"><h4>${name}</h4><p>${asks}</p><ul class="plain">${facts.map(fact)}</ul><p class="note">Not shown here: ${notShown}</p></article>
`;
}

function fact({ fact: id, state, fields, says }: FactShown): Markup {
  return html`<li>${badge(TONES[state], state)} <span class="what">${NAMES[id]}.</span> ${says} <span class="how">Fields: <code>${fields.join(', ')}</code></span></li>\n`;
}
