/** How it was tested: where, kept apart from what, with which deviations, and how long each stage took. */
import { bar } from '../../charts/bars.js';
import type { FilledRecord } from '../../dossier.js';
import { formatSeconds } from '../../units.js';
import { facts, hash, listed, nothing, table, when } from '../parts.js';
import { html, type Markup, type Value } from '../template.js';

type Named = Record<string, string | number | boolean | null>;

/** `hostMounts` reads "Host mounts". */
export function nameOf(field: string): string {
  const words = field.replace(/([a-z])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`);
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

export function told(value: Named[string]): string {
  if (value === null) return 'not known';
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
}

const named = (fields: Named): Markup => facts(Object.entries(fields).map(([name, value]) => [nameOf(name), told(value)] as const));

export function isolation(record: FilledRecord): Markup {
  const { cleanup, deviations } = record;
  const left = html`<h3>Left behind</h3><ul>${listed(cleanup.left, 40, (text) => html`<li>${text}</li>`)}</ul>`;
  return html`${named(record.isolation)}
<h3>Deviations from the original machine or the usual test</h3>${deviations.length > 0 ? html`<ul>${listed(deviations, 60, (text) => html`<li>${text}</li>`)}</ul>` : nothing('None.')}
${cleanup.complete ? html`<p>Clean-up was complete: no process, mount or temporary file of the test was left.</p>` : left}`;
}

export function environment({ environment: fields, policy, stages, startedAt, finishedAt, durationMs }: FilledRecord): Markup {
  const longest = Math.max(1, ...stages.map((stage) => stage.durationMs));
  const rows = stages.map(({ name, durationMs: took }) => [name, html`${bar(took / longest)}`, formatSeconds(took / 1000)]);
  const columns = [{ name: 'Stage' }, { name: 'Share', picture: true }, { name: 'Time', number: true }];
  return html`${facts([
    ['Began', when(startedAt)],
    ['Ended', when(finishedAt)],
    ['Took', formatSeconds(durationMs / 1000)],
    ['Depth of the policy', policy?.depth ?? 'not kept by the version that made this record'],
    policy && ['Policy, SHA-256', hash(policy.sha256)],
  ])}${named(fields)}${stages.length > 0 && html`<h3>Stages</h3>${table('Stages and their times', columns, rows)}<p class="note">Stages run side by side where they can: their times may add up to more than the whole.</p>`}`;
}

export const HOW: Record<string, string> = {
  latest: 'the latest restore point of its machine',
  random: 'at random',
  all: 'all restore points were taken',
  unverified: 'because it had not been verified for long',
  named: 'named by a person',
  control: 'a restore point made by the drill itself, known to be good or bad',
};

export function selection({ drill }: FilledRecord): Value {
  if (!drill) return html`<p>It was verified by itself, not by a drill: somebody named it.</p>`;
  const { how, seed, population, chosen } = drill.selection;
  return facts([
    ['Drill', html`<code>${drill.id}</code>`],
    ['Chosen', HOW[how] ?? how],
    ['Population', `${chosen} of ${population} restore points`],
    seed === null ? null : ['Seed', html`<code>${seed}</code> (repeats the choice)`],
  ]);
}
