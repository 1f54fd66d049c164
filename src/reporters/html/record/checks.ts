/** Each check: what was expected, what was observed, what came of it. */
import type { CheckResult, Finding, Outcome } from '../../../types.js';
import type { CheckTitle, FilledRecord } from '../../dossier.js';
import { count, formatSeconds } from '../../units.js';
import { outcomeCounts } from '../../words.js';
import { badge, toneOfOutcome } from '../icons.js';
import { listed, pathLike, table } from '../parts.js';
import { html, type Markup, type Value } from '../template.js';
import { findingText } from './why.js';

const MOST = { findings: 40, passed: 400, skipped: 200 };
const WORDS: Record<Outcome, string> = { pass: 'pass', fail: 'fail', error: 'could not run', skip: 'skipped' };

type Titles = ReadonlyMap<string, CheckTitle>;

export function checks({ checks: all }: FilledRecord, titles: Titles): Markup {
  const of = (outcome: Outcome): CheckResult[] => all.filter((check) => check.outcome === outcome);
  return html`<p>${outcomeCounts(all.map(({ outcome }) => outcome))}.</p>
${[...of('fail'), ...of('error')].map((check) => card(check, titles))}
${passed(of('pass'), titles)}
${skipped(of('skip'), titles)}`;
}

function card(check: CheckResult, titles: Titles): Markup {
  const tone = toneOfOutcome(check.outcome);
  return html`<article class="card ${tone}"><h3>${badge(tone, WORDS[check.outcome])}${pathLike(check.id)}${!check.required && html`<span class="flag none">not required</span>`}<span class="time">${took(check)}</span></h3>
<dl class="facts"><div><dt>On</dt><dd>${check.target}</dd></div><div><dt>Expected</dt><dd>${expected(check, titles)}</dd></div><div><dt>Observed</dt><dd>${check.summary}${findings(check.findings)}</dd></div>${
    check.advice !== '' && html`<div><dt>What to do</dt><dd>${check.advice}</dd></div>`
  }</dl></article>
`;
}

function findings(all: readonly Finding[]): Value {
  const told = (finding: Finding): Markup =>
    html`<li>${finding.severity !== 'info' && html`<span class="flag ${finding.severity === 'critical' ? 'bad' : 'open'}">${finding.severity}</span> `}${findingText(finding)} <code>${finding.code}</code></li>\n`;
  return all.length > 0 && html`<ul class="places">${listed(all, MOST.findings, told)}</ul>`;
}

function passed(all: CheckResult[], titles: Titles): Value {
  if (all.length === 0) return null;
  const rows = all
    .slice(0, MOST.passed)
    .map((check) => [
      html`${badge('ok', WORDS.pass)}<br>${pathLike(check.id)}`,
      check.target,
      expected(check, titles),
      html`${check.summary}${findings(check.findings.filter(({ message }) => message !== check.summary))}`,
      took(check),
    ]);
  const columns = [{ name: 'Check' }, { name: 'On' }, { name: 'Expected' }, { name: 'Observed' }, { name: 'Time', number: true }];
  return html`<h3>Passed</h3>${table('Checks that passed', columns, rows)}${more(all.length - MOST.passed)}`;
}

function skipped(all: CheckResult[], titles: Titles): Value {
  if (all.length === 0) return null;
  const alike = new Map<string, CheckResult[]>();
  for (const check of all) alike.set(`${check.id}\n${check.summary}`, [...(alike.get(`${check.id}\n${check.summary}`) ?? []), check]);
  const rows = [...alike.values()].slice(0, MOST.skipped).flatMap((group) => skippedRow(group, titles));
  const columns = [{ name: 'Check' }, { name: 'On' }, { name: 'Would have proven' }, { name: 'Why it was skipped' }];
  return html`<h3>Skipped</h3>${table('Checks that were skipped', columns, rows)}${more(alike.size - MOST.skipped)}`;
}

/** The same check skipped for the same reason on several targets is one row. */
function skippedRow(group: CheckResult[], titles: Titles): Value[][] {
  const [check] = group;
  if (!check) return [];
  const targets = listed(group, MOST.findings, ({ target }) => html`<li>${target}</li>`);
  return [[html`${pathLike(check.id)}`, html`<ul class="plain">${targets}</ul>`, expected(check, titles), check.summary]];
}

const more = (number: number): Value => number > 0 && html`<p class="note">and ${count(number, 'more check', 'more checks')}, in the record</p>`;

function expected({ id }: CheckResult, titles: Titles): Value {
  return titles.get(id)?.title ?? html`<span class="how">this version knows no such check</span>`;
}

function took({ durationMs }: CheckResult): string {
  return formatSeconds(durationMs / 1000);
}
