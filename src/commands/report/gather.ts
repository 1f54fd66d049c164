/** Gathers from ledger and artefacts what a report is made of. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { DrillDocument } from '../../documents.js';
import { artefactPath, isKind, type Ledger, type Stored } from '../../ledger/index.js';
import { type ChainPlace, type DrillDossier, filledIn, type RecordDossier } from '../../reporters/dossier.js';
import type { VerificationRecord } from '../../types.js';

/** Earlier documents that a trend may show. */
const MOST_EARLIER = 60;
/** Of the artefacts of one record. */
const MOST_BYTES = 128 * 1024 * 1024;

/** With the earlier records of its machine and its artefacts: what a page of its own shows. */
export async function gatherRecord(ledger: Ledger, { entry, document }: Stored<VerificationRecord>, artefactFolder: string): Promise<RecordDossier> {
  const history = ledger.history({ machine: document.restorePoint.machine, limit: MOST_EARLIER + 200 });
  const earlier = history.filter(({ seq }) => seq < entry.seq).slice(0, MOST_EARLIER);
  return {
    ...bare(ledger, { entry, document }),
    place: witnessed(ledger, placeOf(ledger, entry)),
    earlier: earlier.map(({ record }) => filledIn(record)).reverse(),
    signOffs: signOffsOf(ledger, document.id),
    artefacts: await artefactsOf(document, artefactFolder),
  };
}

/** A record that could not be stored. */
export async function unstored(document: VerificationRecord, artefactFolder: string): Promise<RecordDossier> {
  const record = filledIn(document);
  return { kind: 'record', document, record, place: null, earlier: [], signOffs: [], artefacts: await artefactsOf(document, artefactFolder) };
}

/** Its records without their histories and artefacts: each has a page of its own for that. */
export function gatherDrill(ledger: Ledger, { entry, document: drill }: Stored<DrillDocument>): DrillDossier {
  const ids = new Set([...drill.items, ...drill.controls].flatMap(({ recordId }) => recordId ?? []));
  const records = new Map<string, RecordDossier>();
  for (const id of ids) {
    const stored = ledger.find(id);
    if (stored && isKind(stored.document, 'record')) records.set(id, bare(ledger, { entry: stored.entry, document: stored.document }));
  }
  const past = ledger.documents({ kind: 'drill' }).filter((one) => one.entry.seq < entry.seq && one.document.name === drill.name);
  const earlier = past.slice(0, MOST_EARLIER).map(({ document }) => document);
  return {
    kind: 'drill',
    drill,
    place: witnessed(ledger, placeOf(ledger, entry)),
    records,
    earlier: earlier.reverse(),
    signOffs: signOffsOf(ledger, drill.id),
  };
}

function bare(ledger: Ledger, { entry, document }: Stored<VerificationRecord>): RecordDossier {
  const place = placeOf(ledger, entry);
  return { kind: 'record', document, record: filledIn(document), place, earlier: [], signOffs: [], artefacts: new Map() };
}

function placeOf(ledger: Ledger, entry: Stored['entry']): ChainPlace {
  const { seq, appendedAt, recordSha256, previousHash, entryHash } = entry;
  const keyIds = [...new Set(ledger.envelopesOf(seq).map(({ keyId }) => keyId))];
  return { seq, appendedAt, documentSha256: recordSha256, previousHash, entryHash, keyIds, witnessed: null };
}

/** Whoever stamped a later head of the chain saw this entry too. */
function witnessed(ledger: Ledger, place: ChainPlace): ChainPlace {
  const stamps = ledger.documents({ kind: 'timestamp' }).map(({ document }) => document);
  const [first] = stamps.filter(({ headSeq }) => headSeq >= place.seq).sort((a, b) => a.headSeq - b.headSeq);
  return { ...place, witnessed: first ? { genTime: first.genTime, authority: first.authority, headSeq: first.headSeq } : null };
}

function signOffsOf(ledger: Ledger, about: string): RecordDossier['signOffs'] {
  return ledger
    .documents({ kind: 'sign-off', about })
    .map(({ document }) => document)
    .reverse();
}

/** Those that are there and have the digest that the record names: a changed picture is never shown. */
async function artefactsOf({ artefacts = [] }: { artefacts?: VerificationRecord['artefacts'] }, folder: string): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  let left = MOST_BYTES;
  for (const { sha256, mediaType } of artefacts) {
    if (!/^[0-9a-f]{64}$/.test(sha256) || !/^(image\/png|application\/json)\b/.test(mediaType) || found.has(sha256)) continue;
    const bytes = await readWithin(artefactPath(folder, sha256), left);
    if (!bytes || createHash('sha256').update(bytes).digest('hex') !== sha256) continue;
    found.set(sha256, bytes);
    left -= bytes.length;
  }
  return found;
}

async function readWithin(path: string, most: number): Promise<Uint8Array | null> {
  try {
    const { size } = await stat(path);
    return size <= most ? await readFile(path) : null;
  } catch {
    return null;
  }
}
