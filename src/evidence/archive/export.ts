/** Makes an archive of evidence: everything that is needed to verify a part of the ledger years later, without the ledger and without snapproof. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyDocument, LedgerDocument, TimestampDocument } from '../../documents.js';
import { LedgerError } from '../../errors.js';
import {
  ARTEFACT_FOLDER,
  artefactPath,
  canonicalJson,
  DOCUMENT_KINDS,
  documentSchema,
  isKind,
  kindOf,
  type Ledger,
  runSchema,
  type SignedText,
} from '../../ledger/index.js';
import { VERSION } from '../../version.js';
import type { Signer } from '../signer.js';
import { GUIDE_TEXT } from './guide.js';
import { artefactName, CHAIN, documentName, envelopeName, GUIDE, keyName, MANIFEST, SEAL, SUMS, timestampName } from './layout.js';
import type { ArchiveManifest } from './manifest.js';
import { sealSums } from './seal.js';
import { type Selection, selects } from './selection.js';
import { ArchiveWriter } from './writer.js';

export interface ExportRequest {
  /** Where the artefacts lie. */
  stateFolder: string;
  selection: Selection;
  out: string;
  /** Null: the archive as a whole is not signed. */
  signer: Signer | null;
}

/** What is in the archive by numbers of entries, and what ought to be. */
interface Contents {
  documents: ArchiveManifest['documents'];
  artefacts: Map<string, number>;
  missingArtefacts: Set<string>;
}

/**
 * Nothing is exported from a ledger that does not verify.
 * @throws LedgerError; UsageError when `out` exists or cannot be written
 */
export async function exportArchive(ledger: Ledger, request: ExportRequest): Promise<ArchiveManifest> {
  if (!ledger.verify().ok) throw broken(ledger);
  const writer = await ArchiveWriter.open(request.out);
  try {
    const manifest = await writeAll(writer, ledger, request);
    await writer.finish();
    return manifest;
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

async function writeAll(writer: ArchiveWriter, ledger: Ledger, { stateFolder, selection, signer }: ExportRequest): Promise<ArchiveManifest> {
  const head = ledger.head();
  const contents = choose(ledger, selection, head.count, stateFolder);
  const { documents } = contents;
  const missingArtefacts = [...contents.missingArtefacts].sort();
  const manifest: ArchiveManifest = {
    schema: 'snapproof.evidence-archive/v1',
    madeAt: new Date().toISOString(),
    madeBy: VERSION,
    selection,
    head,
    documents,
    missingArtefacts,
  };
  await writer.add(GUIDE, GUIDE_TEXT);
  await writer.add(MANIFEST, `${JSON.stringify(manifest, null, 1)}\n`);
  await writeSchemas(writer);
  await writer.add(CHAIN, chainText(ledger, head.count));
  await writeDocuments(writer, ledger, documents);
  for (const [sha256, sizeBytes] of contents.artefacts)
    await writer.addFile(artefactName(sha256), artefactPath(join(stateFolder, ARTEFACT_FOLDER), sha256), sizeBytes);
  const sums = writer.sumsText();
  await writer.add(SUMS, sums);
  if (signer) await writer.add(SEAL, canonicalJson(await sealSums(signer, sums)));
  return manifest;
}

function choose(ledger: Ledger, selection: Selection, count: number, stateFolder: string): Contents {
  const contents: Contents = { documents: [], artefacts: new Map(), missingArtefacts: new Set() };
  const ids = new Set<string>();
  for (const lot of ledger.texts()) {
    for (const { entry, text } of lot) {
      const document = JSON.parse(text) as LedgerDocument;
      if (entry.seq > count || !selects(selection, document, entry.appendedAt, ids)) continue;
      ids.add(document.id);
      contents.documents.push({ seq: entry.seq, id: entry.recordId, kind: kindOf(document) ?? 'unknown', sha256: entry.recordSha256 });
      if (isKind(document, 'record')) takeArtefacts(contents, document.artefacts?.map(({ sha256 }) => sha256) ?? [], join(stateFolder, ARTEFACT_FOLDER));
    }
  }
  return contents;
}

function takeArtefacts({ artefacts, missingArtefacts }: Contents, digests: string[], folder: string): void {
  for (const sha256 of digests.filter((digest) => /^[0-9a-f]{64}$/.test(digest))) {
    const path = artefactPath(folder, sha256);
    if (existsSync(path)) artefacts.set(sha256, statSync(path).size);
    else missingArtefacts.add(sha256);
  }
}

async function writeSchemas(writer: ArchiveWriter): Promise<void> {
  for (const kind of DOCUMENT_KINDS) await writer.add(`schemas/${kind}.schema.json`, `${JSON.stringify(documentSchema(kind), null, 2)}\n`);
  await writer.add('schemas/run.schema.json', `${JSON.stringify(runSchema(), null, 2)}\n`);
}

function chainText(ledger: Ledger, count: number): string {
  const lines: string[] = [];
  for (const lot of ledger.chain()) for (const entry of lot) if (entry.seq <= count) lines.push(`${canonicalJson(entry)}\n`);
  return lines.join('');
}

/** Keys first: whoever reads on knows them then. */
async function writeDocuments(writer: ArchiveWriter, ledger: Ledger, documents: ArchiveManifest['documents']): Promise<void> {
  const keys = documents.filter(({ kind }) => kind === 'key');
  const others = documents.filter(({ kind }) => kind !== 'key');
  const written = new Set<string>();
  for (const { seq } of [...keys, ...others]) {
    const signed = ledger.text(seq);
    if (!signed) throw broken(ledger);
    await writeDocument(writer, signed);
    const document = JSON.parse(signed.text) as LedgerDocument;
    if (isKind(document, 'key')) await writeKey(writer, document, written);
    if (isKind(document, 'timestamp')) await writeToken(writer, seq, document);
  }
}

async function writeDocument(writer: ArchiveWriter, { entry, text, envelopes }: SignedText): Promise<void> {
  await writer.add(documentName(entry.seq), text);
  for (const envelope of envelopes) await writer.add(envelopeName(entry.seq, envelope.statement, envelope.keyId), envelope.text);
}

async function writeKey(writer: ArchiveWriter, { keyId, publicKey }: KeyDocument, written: Set<string>): Promise<void> {
  if (written.has(keyId)) return;
  written.add(keyId);
  await writer.add(keyName(keyId), publicKey);
}

async function writeToken(writer: ArchiveWriter, seq: number, { token }: TimestampDocument): Promise<void> {
  await writer.add(timestampName(seq), Buffer.from(token, 'base64'));
}

function broken(ledger: Ledger): LedgerError {
  return new LedgerError({
    code: 'ledger.broken',
    message: `The ledger ${ledger.path} does not verify, so nothing was exported.`,
    advice: 'Run "snapproof ledger verify" to see what happened.',
  });
}
