/** How the drill chose, ran and told. */
import type { DrillDocument, Selection } from '../../../documents.js';
import type { DrillDossier, FilledRecord } from '../../dossier.js';
import { count } from '../../units.js';
import { badge } from '../icons.js';
import { facts, hash, listed, nothing, table, when } from '../parts.js';
import { HOW, nameOf, told } from '../record/circumstances.js';
import { html, type Value } from '../template.js';

const MOST = 200;

export function selection({ items }: DrillDocument): Value {
  const kinds = new Map<string, { selection: Selection; items: number }>();
  for (const { selection: one } of items) {
    const key = JSON.stringify(one);
    kinds.set(key, { selection: one, items: (kinds.get(key)?.items ?? 0) + 1 });
  }
  const rows = [...kinds.values()]
    .slice(0, MOST)
    .map(({ selection: { how, seed, population, chosen }, items: number }) => [
      HOW[how] ?? how,
      String(number),
      `${chosen} of ${population}`,
      seed === null ? '–' : html`<code>${seed}</code>`,
    ]);
  const columns = [
    { name: 'Chosen' },
    { name: 'Restore points', number: true },
    { name: 'Of the population', number: true },
    { name: 'Seed (repeats the choice)' },
  ];
  return (
    rows.length > 0 &&
    html`${table('How restore points were chosen', columns, rows)}${kinds.size > MOST && html`<p class="note">and ${kinds.size - MOST} more ways, in the drill document</p>`}`
  );
}

/** What all records say of isolation, each said once with the number of records; deviations with their machines. */
export function isolation({ records }: DrillDossier): Value {
  const all = [...records.values()].map(({ record }) => record);
  if (all.length === 0) return nothing('There is no record that could tell.');
  const said = saidBy(all);
  const rows = said.slice(0, MOST).map(({ name, value, number }) => [nameOf(name), value, `${number} of ${all.length}`]);
  const columns = [{ name: 'Isolation' }, { name: 'How' }, { name: 'Records', number: true }];
  const deviating = deviationsOf(all);
  const incomplete = all.filter(({ cleanup }) => !cleanup.complete).length;
  const deviations = listed(deviating, MOST, ([text, machines]) => html`<li>${text}<br><span class="how">${machines.slice(0, MOST).join(', ')}</span></li>\n`);
  return html`${table('Isolation of the records', columns, rows)}
<h3>Deviations from the original machines or the usual test</h3>${deviating.length > 0 ? html`<ul class="plain">${deviations}</ul>` : nothing('None.')}
<p>${incomplete === 0 ? 'Clean-up was complete after every test.' : `Clean-up was not complete after ${count(incomplete, 'test')}: see the records.`}</p>`;
}

/** Each with the machines of which it is true. */
function deviationsOf(all: FilledRecord[]): [string, string[]][] {
  const found = new Map<string, string[]>();
  for (const { deviations, restorePoint } of all) for (const text of deviations) found.set(text, [...(found.get(text) ?? []), restorePoint.machine]);
  return [...found];
}

function saidBy(all: FilledRecord[]): { name: string; value: string; number: number }[] {
  const kinds = new Map<string, { name: string; value: string; number: number }>();
  for (const { isolation: fields } of all)
    for (const [name, value] of Object.entries(fields)) {
      const key = `${name}\n${value}`;
      kinds.set(key, { name, value: told(value), number: (kinds.get(key)?.number ?? 0) + 1 });
    }
  return [...kinds.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : b.number - a.number));
}

export function circumstances({ policy, startedAt, finishedAt, resumed, deadlineAt, operator, told: who }: DrillDocument): Value {
  const rows = who.slice(0, MOST).map(({ channel, target, ok, why }) => [channel, target, badge(ok ? 'ok' : 'bad', ok ? 'told' : 'not told'), why]);
  const columns = [{ name: 'Channel' }, { name: 'To' }, { name: 'Outcome' }, { name: 'Why' }];
  return html`${facts([
    ['Started by', operator],
    ['Began', when(startedAt)],
    ['Ended', when(finishedAt)],
    ['Deadline', deadlineAt === null ? 'none' : when(deadlineAt)],
    ['Interrupted', resumed === 0 ? 'never' : `${count(resumed, 'time')}, and went on`],
    ['Policy', html`<code>${policy.path}</code>`],
    ['Policy, SHA-256', hash(policy.sha256)],
  ])}${rows.length > 0 && html`<h3>Who was told</h3>${table('Who was told', columns, rows)}`}`;
}
