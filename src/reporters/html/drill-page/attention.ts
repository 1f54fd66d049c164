/** What did not pass, in full: why, what to do, what was not tested. */
import type { DrillItem } from '../../../documents.js';
import type { DrillDossier, RecordDossier } from '../../dossier.js';
import { boundText, needsSomebody, wordOf, worstItemsFirst } from '../../drill-words.js';
import { withoutFolder } from '../../folder.js';
import { stateCounts } from '../../instances.js';
import { count } from '../../units.js';
import { outcomeCounts } from '../../words.js';
import { badge, toneOfVerdict } from '../icons.js';
import { facts, listed, nothing, when } from '../parts.js';
import { byReason, untestedItem } from '../record/coverage.js';
import { whatToDo, why } from '../record/why.js';
import { html, type Markup, type Value } from '../template.js';

const MOST = { cards: 200, untested: 12 };

export function attention({ drill, records }: DrillDossier): Value {
  const all = worstItemsFirst(drill.items).filter(needsSomebody);
  if (all.length === 0) return nothing('Nothing: all restore points passed within their bounds.');
  const more = all.length - MOST.cards;
  return html`${all.slice(0, MOST.cards).map((item) => card(item, records.get(item.recordId ?? '') ?? null))}${
    more > 0 && html`<p class="note">and ${count(more, 'more restore point')}, in the table below; each record has a page of its own</p>`
  }`;
}

function card(item: DrillItem, dossier: RecordDossier | null): Markup {
  const word = wordOf(item);
  const tone = toneOfVerdict(item.verdict && word === item.verdict ? word : null);
  return html`<article class="card ${tone}"><h3>${badge(tone, word)}${item.machine}${late(item) && html` <span class="flag">objective missed</span>`}<span class="time">taken ${when(item.takenAt)}</span></h3>
${item.why.length > 0 && html`<ul>${listed(item.why, 10, (text) => html`<li>${text}</li>\n`)}</ul>`}${body(item, dossier)}</article>
`;
}

const late = ({ rto, rpo }: DrillItem): boolean => rto?.met === false || rpo?.met === false;

function body(item: DrillItem, dossier: RecordDossier | null): Value {
  const bounds = [
    item.rto && (['Recovery time objective', boundText(item.rto)] as const),
    item.rpo && (['Recovery point objective', boundText(item.rpo)] as const),
  ];
  if (!dossier) return facts([['Restore point', item.restorePoint], ['Path', html`<code>${item.path}</code>`], ...bounds]);
  const { record } = withoutFolder(dossier.record);
  const advice = whatToDo(record);
  const groups = byReason(record.coverage.untested);
  return html`${record.verdict !== 'passed' && why(record)}${facts([
    ['Restore point', item.restorePoint],
    ['Path', html`<code>${item.path}</code>`],
    ...bounds,
    record.instances.length > 0 ? ['Databases', stateCounts(record.instances)] : null,
    ['Checks', outcomeCounts(record.checks.map(({ outcome }) => outcome))],
    advice ? ['What to do', advice] : null,
    groups.length > 0 ? ['Not tested', html`<ul class="plain">${listed(groups, MOST.untested, untestedItem)}</ul>`] : null,
    ['Record', html`<code>${record.id}</code>`],
  ])}`;
}
