/** The files it is about and the chain that holds it: what to compare, and how. */
import type { ChainPlace, FilledRecord, RecordDossier } from '../../dossier.js';
import { count, formatBytes } from '../../units.js';
import { facts, hash, table, when } from '../parts.js';
import { html, type Markup, type Value } from '../template.js';

const MOST_ARTEFACTS = 200;

export function files(record: FilledRecord, folder: string): Markup {
  const rows = record.restorePoint.files.map(({ role, path, format, sizeBytes, sha256 }) => [path, role, format, formatBytes(sizeBytes), hash(sha256)]);
  const columns = [{ name: 'File' }, { name: 'Role' }, { name: 'Format' }, { name: 'Size', number: true }, { name: 'SHA-256' }];
  return html`${folder !== '' && html`<p>In <code>${folder}</code>.</p>`}${table('Files of the restore point', columns, rows)}${artefacts(record)}`;
}

function artefacts({ artefacts: all }: FilledRecord): Value {
  if (all.length === 0) return null;
  const rows = all.slice(0, MOST_ARTEFACTS).map(({ name, mediaType, sizeBytes, sha256 }) => [name, mediaType, formatBytes(sizeBytes), hash(sha256)]);
  const columns = [{ name: 'Kept beside the record' }, { name: 'Type' }, { name: 'Size', number: true }, { name: 'SHA-256' }];
  const more = all.length > MOST_ARTEFACTS && html`<p class="note">and ${all.length - MOST_ARTEFACTS} more, in the record</p>`;
  return html`<h3>Artefacts</h3>${table('Artefacts kept beside the record', columns, rows)}${more}`;
}

export function chain({ record, place }: RecordDossier): Markup {
  return place ? html`${chainFacts(place)}${howToVerify(record.id, place, true)}` : UNSTORED;
}

export const UNSTORED = html`<p><strong>It was not stored in a ledger.</strong> Nothing but this page speaks for it, and a page can be written by anybody.</p>`;

export function chainFacts(place: ChainPlace): Markup {
  const { witnessed } = place;
  const keys = place.keyIds.map((id) => html`<code>${id}</code> `);
  return facts([
    ['Entry', `${place.seq}, appended ${when(place.appendedAt)}`],
    ['Document, SHA-256', hash(place.documentSha256)],
    ['Entry hash', hash(place.entryHash)],
    ['Hash of the entry before', hash(place.previousHash)],
    [
      'Time stamp',
      witnessed
        ? html`${when(witnessed.genTime)}, by ${witnessed.authority}, on the chain up to entry ${witnessed.headSeq}`
        : 'none: no authority outside has seen this part of the chain yet',
    ],
    ['Signed by', keys.length > 0 ? keys : 'nobody: the entry is chained, but not signed'],
  ]);
}

/** @param files whether the page names the files of a restore point */
export function howToVerify(id: string, { entryHash, keyIds }: ChainPlace, files: boolean): Markup {
  return html`<h3>How to verify</h3>
<ol><li>The chain: <code>snapproof ledger verify --head ${entryHash}</code> recomputes every hash, and says whether this entry is still one of them. Exit code 0: it is; 5: something was changed.</li>
<li>This page: <code>snapproof report ${id} --format html</code> writes it again from the ledger; <code>--format jsonl</code> prints the document in its canonical form (RFC 8785), whose SHA-256, without the line feed at its end, is the digest above.</li>
${files && html`<li>The files: <code>sha256sum</code> of each must give the digests of the section about files. Then they are the bytes that were tested.</li>`}
${keyIds.length > 0 && html`<li>The ${count(keyIds.length, 'signature')}: <code>snapproof ledger verify</code> checks ${keyIds.length === 1 ? 'it' : 'them'} too; an exported archive brings the steps for openssl alone.</li>`}
</ol>`;
}
