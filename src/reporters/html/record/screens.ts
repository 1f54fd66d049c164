/** Screens that were kept, oldest first, the last one large: it shows where the machine came to. */
import type { Artefact, Way } from '../../../ways.js';
import { spread } from '../../charts/data-table.js';
import type { FilledRecord } from '../../dossier.js';
import type { Timeline } from '../../progress-series.js';
import { formatBytes, formatSeconds } from '../../units.js';
import { html, InnerAddress, type Markup, type Value } from '../template.js';

const MOST = 16;
/** Of all screens of one way; screens in graphics modes are large. */
export const MOST_SCREEN_BYTES = 4_000_000;

export function screens(way: Way, record: FilledRecord, artefacts: ReadonlyMap<string, Uint8Array>, timeline: Timeline | null): Value {
  const all = record.artefacts.filter(({ name, mediaType }) => name.startsWith(`${way}/`) && mediaType === 'image/png');
  if (all.length === 0) return null;
  const there = all.filter(({ sha256 }) => sizeOf(artefacts.get(sha256)) !== null);
  const chosen = withinBytes(spread(there, MOST));
  const missing = all.length - there.length;
  const notes = [
    chosen.length < there.length ? `${chosen.length} of ${there.length} screens are shown, to keep this file small.` : '',
    missing > 0 ? `${missing} of ${all.length} could not be shown: they are not where the record keeps them, or not what was kept.` : '',
  ].filter(Boolean);
  const item = (artefact: Artefact, index: number): Markup => screenItem(way, artefact, artefacts, timeline, { number: index + 1, of: chosen.length });
  return html`<h4>The screen over time</h4><ol class="screens">${chosen.map(item)}</ol>${notes.length > 0 && html`<p class="note">${notes.join(' ')}</p>`}`;
}

/** The first and the last stay; what is between them goes where it is too much. */
function withinBytes(all: Artefact[]): Artefact[] {
  let kept = all;
  while (kept.length > 1 && kept.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) > MOST_SCREEN_BYTES) kept = spread(kept, kept.length - 1);
  return kept.filter(({ sizeBytes }) => sizeBytes <= MOST_SCREEN_BYTES);
}

interface Place {
  number: number;
  of: number;
}

function screenItem(
  way: Way,
  { name, sha256, sizeBytes }: Artefact,
  artefacts: ReadonlyMap<string, Uint8Array>,
  timeline: Timeline | null,
  { number, of }: Place,
): Markup {
  const bytes = artefacts.get(sha256) ?? new Uint8Array();
  const size = sizeOf(bytes) ?? { width: 1, height: 1 };
  const at = timeline?.screens.get(name);
  const id = `screen-${way}-${number}`;
  const moment = at === undefined ? `${number} of ${of}` : `after ${formatSeconds(at)}`;
  const alt = `Screen of the ${way === 'boot' ? 'cold boot' : 'resumed machine'}, ${number} of ${of}${at === undefined ? '' : `, ${moment}`}`;
  const picture = html`<img src="${InnerAddress.png(bytes)}" width="${size.width}" height="${size.height}" alt="${alt}">`;
  return html`<li id="${id}" class="${number === of ? 'last' : 'one'}"><figure><a href="${InnerAddress.of(id)}">${picture}</a><figcaption>${moment} <span class="unseen">(${formatBytes(sizeBytes)})</span></figcaption></figure></li>\n`;
}

/** Of a PNG: width and height of its header (PNG specification, 11.2.2); null for what is none, or of no sane size. */
export function sizeOf(bytes: Uint8Array | undefined): { width: number; height: number } | null {
  if (!bytes || bytes.length < 33) return null;
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, 33);
  if (header.toString('latin1', 0, 8) !== '\x89PNG\r\n\x1a\n' || header.toString('latin1', 12, 16) !== 'IHDR') return null;
  const size = { width: header.readUInt32BE(16), height: header.readUInt32BE(20) };
  return size.width > 0 && size.height > 0 && size.width <= 16_384 && size.height <= 16_384 ? size : null;
}
