/** The signatures of a ledger: all, or those of one entry. */
import type { DocumentKind, Ledger, SignedText } from '../ledger/index.js';
import {
  type Anchors,
  checkDocument,
  checkSignatures,
  type DocumentSignatures,
  KeyRing,
  NO_ANCHORS,
  type SignatureReport,
  type SignedSource,
} from './check-signatures.js';

function sourceOf(ledger: Ledger, kind?: DocumentKind): SignedSource {
  return { keyDocuments: () => flat(ledger.texts('key')), lots: () => ledger.texts(kind) };
}

function* flat(lots: Iterable<SignedText[]>): Generator<SignedText> {
  for (const lot of lots) yield* lot;
}

/** Verifies every signature of a ledger, or of its documents of one kind. Whether the documents are what was stored, `ledger.verify()` says. */
export async function checkLedgerSignatures(
  ledger: Ledger,
  anchors: Anchors = NO_ANCHORS,
  each?: (signed: SignedText, counts: boolean) => void,
  kind?: DocumentKind,
): Promise<SignatureReport> {
  const report = await checkSignatures(sourceOf(ledger, kind), anchors, each);
  for (const seq of ledger.strayEnvelopes()) {
    report.problems.push({ seq, recordId: null, message: `There is a signature of entry ${seq}, and no such entry.` });
  }
  return report;
}

/** Those of one entry only: whether somebody who counts vouches for it. Null when there is no such entry. */
export async function signaturesOfEntry(ledger: Ledger, seq: number, anchors: Anchors = NO_ANCHORS): Promise<DocumentSignatures | null> {
  const signed = ledger.text(seq);
  return signed && checkDocument(new KeyRing(flat(ledger.texts('key')), anchors), signed);
}
