/** Every restore point of the drill, worst first: one row each. */
import type { DrillItem } from '../../../documents.js';
import type { WayResult } from '../../../ways.js';
import type { DrillDossier, FilledRecord } from '../../dossier.js';
import { wordOf, worstItemsFirst } from '../../drill-words.js';
import { count, formatSeconds } from '../../units.js';
import { STATE_WORDS } from '../../ways.js';
import { badge, toneOfVerdict } from '../icons.js';
import { nothing, table, when } from '../parts.js';
import { html, type Value } from '../template.js';

/** A row takes about two thousand bytes. */
const MOST = 3000;
const COLUMNS = [
  { name: 'Machine' },
  { name: 'Taken' },
  { name: 'Verdict' },
  { name: 'Consistency' },
  { name: 'Cold boot' },
  { name: 'Resume' },
  { name: 'Why' },
];

export function items({ drill, records }: DrillDossier): Value {
  if (drill.items.length === 0) return nothing('No restore point was chosen.');
  const sorted = worstItemsFirst(drill.items);
  const rows = sorted.slice(0, MOST).map((item) => row(item, records.get(item.recordId ?? '')?.record ?? null));
  const more = sorted.length - MOST;
  return html`${table('Restore points of the drill', COLUMNS, rows)}${more > 0 && html`<p class="note">and ${count(more, 'more restore point')}, in the drill document</p>`}`;
}

function row(item: DrillItem, record: FilledRecord | null): Value[] {
  const word = wordOf(item);
  const old = item.state === 'still-valid' && html`<br><span class="how">by an earlier record that still counts</span>`;
  return [
    html`${item.machine}<br><span class="how">${item.restorePoint}</span>`,
    when(item.takenAt),
    html`${badge(toneOfVerdict(item.verdict && word === item.verdict ? word : null), word)}${old}`,
    record?.consistency.observed ?? '–',
    way(record, 'boot'),
    way(record, 'resume'),
    whyOf(item, record),
  ];
}

function way(record: FilledRecord | null, wanted: WayResult['way']): Value {
  const found = record?.ways.find((one) => one.way === wanted);
  if (!found) return 'not tried';
  const seconds = found.secondsToService;
  const slow = found.accelerator === 'tcg' && html` <span class="how">emulated</span>`;
  return html`${seconds === null ? (STATE_WORDS[found.state] ?? found.state) : formatSeconds(seconds)}${slow}`;
}

function whyOf(item: DrillItem, record: FilledRecord | null): Value {
  const own = item.why.slice(0, 5);
  const reasons = item.verdict === 'passed' ? [] : (record?.reasons ?? []).filter((text) => !own.includes(text)).slice(0, 2);
  const told = [...own, ...reasons];
  return told.length > 0 ? told.map((text, index) => html`${index > 0 && html`<br>`}${text}`) : (record?.reasons[0] ?? '–');
}
