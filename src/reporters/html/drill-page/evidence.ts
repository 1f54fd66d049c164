/** Where the drill and each of its records lie in the chain. */
import type { DrillDossier } from '../../dossier.js';
import { hash, table } from '../parts.js';
import { chainFacts, howToVerify, UNSTORED } from '../record/evidence.js';
import { html, type Markup, type Value } from '../template.js';

const MOST = 2000;

export function drillChain(dossier: DrillDossier): Markup {
  const { drill, place } = dossier;
  if (!place) return html`${UNSTORED}${recordTable(dossier)}`;
  return html`${chainFacts(place)}${howToVerify(drill.id, place, false)}${recordTable(dossier)}`;
}

function recordTable({ drill, records }: DrillDossier): Value {
  const named = [...drill.items, ...drill.controls].flatMap(({ recordId }) => recordId ?? []);
  if (named.length === 0) return null;
  const rows = named.slice(0, MOST).map((id) => {
    const dossier = records.get(id);
    const place = dossier?.place;
    return [
      html`<code>${id}</code>`,
      dossier?.record.restorePoint.machine ?? 'not in this ledger',
      place ? String(place.seq) : '–',
      place ? hash(place.documentSha256) : '–',
      signed(place?.keyIds),
    ];
  });
  const columns = [{ name: 'Record' }, { name: 'Machine' }, { name: 'Entry', number: true }, { name: 'SHA-256 of the record' }, { name: 'Signed by' }];
  return html`<h3>Records of this drill</h3>${table('Records of this drill', columns, rows)}${named.length > MOST && html`<p class="note">and ${named.length - MOST} more, in the drill document</p>`}`;
}

function signed(keyIds: readonly string[] | undefined): Value {
  if (keyIds === undefined || keyIds.length === 0) return '–';
  return keyIds.map((id) => html`<code>${id.slice(0, 16)}</code> `);
}
