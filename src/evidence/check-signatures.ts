/**
 * Verifies signatures of documents: of a ledger or of an archive. In this order: the signature over the payload's bytes, then whether its key
 * counts at this place of the chain, then what the payload says. What an envelope names as its key is a hint and proves nothing.
 */
import type { KeyDocument } from '../documents.js';
import { FormatError } from '../errors.js';
import { kindOf, problemsOfDocument, type SignedText, type StoredEnvelope } from '../ledger/index.js';
import { type OpenedEnvelope, openEnvelope } from './dsse.js';
import { isSignedBy, isSignedByLater, type PublicKey, readPublicKey } from './public-key.js';
import { objectionTo, type StatementName } from './statements.js';
import { type KeyState, Trust } from './trust.js';

/** What is verified. Both walks go in the order of the chain. */
export interface SignedSource {
  keyDocuments(): Iterable<SignedText>;
  lots(): Iterable<SignedText[]>;
}

/** Keys that somebody brought along; ids and whole keys. None: the first key of the chain is trusted. */
export interface Anchors {
  ids: string[];
  keys: PublicKey[];
}

export interface SignatureProblem {
  seq: number;
  recordId: string | null;
  message: string;
}

export interface SignatureReport {
  /** Documents with a signature that counts, and those without. */
  signed: number;
  unsigned: number;
  /** Signatures looked at. */
  signatures: number;
  keys: KeyState[];
  problems: SignatureProblem[];
}

export const NO_ANCHORS: Anchors = { ids: [], keys: [] };

const MAX_PROBLEMS = 1000;

/** What is known of the keys of one chain: their bytes, and which counts where. */
export class KeyRing {
  private readonly known = new Map<string, PublicKey>();
  private readonly trust: Trust;
  readonly problems: SignatureProblem[] = [];

  /** Reads all key documents of a chain. Never throws for what it finds in them. */
  constructor(keyDocuments: Iterable<SignedText>, anchors: Anchors) {
    for (const key of anchors.keys) this.known.set(key.keyId, key);
    this.trust = new Trust(new Set([...anchors.ids, ...anchors.keys.map(({ keyId }) => keyId)]));
    for (const signed of keyDocuments) this.take(signed);
  }

  states(): KeyState[] {
    return this.trust.states();
  }

  /** All keys, whether they count or not. */
  keys(): PublicKey[] {
    return [...this.known.values()];
  }

  /** Why a key does not count at a place of the chain; null when it does. */
  standing(keyId: string, seq: number): string | null {
    return this.trust.objection(keyId, seq);
  }

  /** Why a signature does not count; null when it does. */
  async objection(envelope: StoredEnvelope, signed: SignedText, document: unknown): Promise<string | null> {
    const opened = open(envelope);
    if (typeof opened === 'string') return opened;
    const key = this.known.get(envelope.keyId);
    if (!key) return 'its key is not in the ledger';
    if (opened.keyid !== envelope.keyId) return 'it names another key than the one it is kept under';
    if (!(await isSignedByLater(key, opened.encoding, opened.signature))) return `it was not made with the key ${key.keyId} over these bytes`;
    return this.trust.objection(key.keyId, signed.entry.seq) ?? objectionTo(opened.payload, envelope.statement, document, signed.entry);
  }

  private take(signed: SignedText): void {
    const { seq, recordId } = signed.entry;
    const document = parseDocument(signed.text);
    const why = document === null ? 'it is no key document' : (this.learn(document) ?? this.trust.take(document, seq, this.signersOf(signed, document)));
    if (why !== null && this.problems.length < MAX_PROBLEMS)
      this.problems.push({ seq, recordId, message: `Entry ${seq}, about a key, does not count: ${why}.` });
  }

  private learn({ publicKey, keyId }: KeyDocument): string | null {
    try {
      const key = readPublicKey(publicKey);
      if (key.keyId !== keyId) return 'its key has another id than it says';
      this.known.set(keyId, key);
      return null;
    } catch (error) {
      if (error instanceof FormatError) return error.message;
      throw error;
    }
  }

  private signersOf(signed: SignedText, document: KeyDocument): Set<string> {
    return new Set(signed.envelopes.filter((envelope) => this.truly(envelope, signed, document)).map(({ keyId }) => keyId));
  }

  private truly(envelope: StoredEnvelope, { entry }: SignedText, document: KeyDocument): boolean {
    const opened = open(envelope);
    const key = this.known.get(envelope.keyId);
    if (typeof opened === 'string' || !key || opened.keyid !== envelope.keyId) return false;
    return isSignedBy(key, opened.encoding, opened.signature) && objectionTo(opened.payload, envelope.statement, document, entry) === null;
  }
}

/** Null for what is no key document. */
function parseDocument(text: string): KeyDocument | null {
  const document = parsed(text);
  if (document === null || kindOf(document) !== 'key' || problemsOfDocument(document).length > 0) return null;
  return document as KeyDocument;
}

function parsed(text: string): { schema: string } | null {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === 'object' && typeof (value as { schema?: unknown }).schema === 'string' ? (value as { schema: string }) : null;
  } catch {
    return null;
  }
}

function open(envelope: StoredEnvelope): OpenedEnvelope | string {
  try {
    return openEnvelope(envelope.text);
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
}

/** Verifies every signature. Never throws for what it finds. @param each is told of each document whether a signature of it counts */
export async function checkSignatures(source: SignedSource, anchors: Anchors, each?: (signed: SignedText, counts: boolean) => void): Promise<SignatureReport> {
  const ring = new KeyRing(source.keyDocuments(), anchors);
  const report: SignatureReport = { signed: 0, unsigned: 0, signatures: 0, keys: ring.states(), problems: [...ring.problems] };
  for (const lot of source.lots()) {
    const results = await Promise.all(lot.map((signed) => checkDocument(ring, signed)));
    results.forEach((result, index) => {
      add(report, result);
      const signed = lot[index];
      if (signed) each?.(signed, result.counts);
    });
  }
  return report;
}

export interface DocumentSignatures {
  /** A signature of its place in the chain counts. */
  counts: boolean;
  /** Keys of the signatures that count. */
  keyIds: string[];
  signatures: number;
  problems: SignatureProblem[];
}

/** Every signature of one document. */
export async function checkDocument(ring: KeyRing, signed: SignedText): Promise<DocumentSignatures> {
  const { seq, recordId } = signed.entry;
  const result: DocumentSignatures = { counts: false, keyIds: [], signatures: signed.envelopes.length, problems: [] };
  if (signed.envelopes.length === 0) return result;
  const document = parsed(signed.text);
  for (const envelope of signed.envelopes) {
    const why = document === null ? 'what it is about is no document' : await ring.objection(envelope, signed, document);
    if (why !== null) result.problems.push({ seq, recordId, message: `A signature of entry ${seq} (${recordId}) does not count: ${why}.` });
    else if (isPlace(envelope)) Object.assign(result, { counts: true, keyIds: [...result.keyIds, envelope.keyId] });
  }
  return result;
}

function isPlace({ statement }: StoredEnvelope): boolean {
  return statement === ('record' satisfies StatementName);
}

function add(report: SignatureReport, { counts, signatures, problems }: DocumentSignatures): void {
  report[counts ? 'signed' : 'unsigned']++;
  report.signatures += signatures;
  report.problems.push(...problems.slice(0, Math.max(0, MAX_PROBLEMS - report.problems.length)));
}
