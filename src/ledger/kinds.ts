/** The kinds of documents that a ledger holds, by the schema that each names. */
import type { DrillDocument, KeyDocument, LedgerDocument, SignOffDocument, TimestampDocument } from '../documents.js';
import type { VerificationRecord } from '../types.js';

export interface DocumentOf {
  record: VerificationRecord;
  drill: DrillDocument;
  'sign-off': SignOffDocument;
  key: KeyDocument;
  timestamp: TimestampDocument;
}

export type DocumentKind = keyof DocumentOf;

export const DOCUMENT_KINDS: readonly DocumentKind[] = ['record', 'drill', 'sign-off', 'key', 'timestamp'];

export function schemaOf(kind: DocumentKind): string {
  return `snapproof.${kind}/v1`;
}

/** Null for a document that a newer snapproof wrote. */
export function kindOf(document: { schema: string }): DocumentKind | null {
  return DOCUMENT_KINDS.find((kind) => schemaOf(kind) === document.schema) ?? null;
}

export function isKind<K extends DocumentKind>(document: LedgerDocument, kind: K): document is DocumentOf[K] & LedgerDocument {
  return document.schema === schemaOf(kind);
}
