/** What an archive says of itself: `manifest.json`, schema `snapproof.evidence-archive/v1`. */
import { FormatError } from '../../errors.js';
import type { LedgerHead } from '../../ledger/index.js';

export interface ArchiveManifest {
  schema: 'snapproof.evidence-archive/v1';
  madeAt: string;
  /** Version of the snapproof that made it. */
  madeBy: string;
  /** By the time of storing; null: no bound. */
  selection: { from: string | null; to: string | null; machine: string | null };
  /** Of the whole ledger: `chain.jsonl` leads to it. */
  head: LedgerHead;
  documents: { seq: number; id: string; kind: string; sha256: string }[];
  /** Digests of artefacts that documents name and that were no longer there. */
  missingArtefacts: string[];
}

const HASH = /^[0-9a-f]{64}$/;

/** Stops at the first thing that is wrong: it may come from anybody, and be long. @throws FormatError */
export function readManifest(text: string): ArchiveManifest {
  const value = parsed(text) as Partial<ArchiveManifest> | null;
  if (value?.schema !== 'snapproof.evidence-archive/v1') throw wrong('it does not call itself snapproof.evidence-archive/v1');
  if (!isText(value.madeAt) || !isText(value.madeBy)) throw wrong('it does not say when and by what it was made');
  if (!isSelection(value.selection)) throw wrong('its selection is not one');
  if (!isHead(value.head)) throw wrong('its head is not one');
  if (!Array.isArray(value.documents) || !value.documents.every(isDocument)) throw wrong('its list of documents is not one');
  if (!Array.isArray(value.missingArtefacts) || !value.missingArtefacts.every(isHash)) throw wrong('its list of missing artefacts is not one');
  return value as ArchiveManifest;
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isHash = (value: unknown): boolean => isText(value) && HASH.test(value);
const isTextOrNull = (value: unknown): boolean => value === null || isText(value);

function isSelection(value: Partial<ArchiveManifest['selection']> | undefined): boolean {
  return isTextOrNull(value?.from) && isTextOrNull(value?.to) && isTextOrNull(value?.machine);
}

function isHead(value: Partial<LedgerHead> | undefined): boolean {
  return Number.isSafeInteger(value?.count) && isHash(value?.hash) && isText(value?.recordId);
}

function isDocument(value: Partial<ArchiveManifest['documents'][number]> | null): boolean {
  return Number.isSafeInteger(value?.seq) && isText(value?.id) && isText(value?.kind) && isHash(value?.sha256);
}

function wrong(why: string): FormatError {
  return new FormatError({ code: 'archive.manifest', message: `its manifest.json is wrong: ${why}` });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw wrong('it is no JSON');
  }
}
