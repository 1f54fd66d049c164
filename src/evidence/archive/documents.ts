/** The documents of an archive, one after the other, each with the signatures behind it. */

import type { KeyDocument, LedgerDocument } from '../../documents.js';
import { FormatError } from '../../errors.js';
import { isKind, kindOf, type LedgerEntry, type SignedText } from '../../ledger/index.js';
import { type Anchors, checkDocument, type DocumentSignatures, KeyRing, type SignatureReport } from '../check-signatures.js';

export interface FoundDocument {
  seq: number;
  id: string;
  kind: string;
  sha256: string;
}

const MAX_PROBLEMS = 1000;

export class ArchivedDocuments {
  readonly found: FoundDocument[] = [];
  /** Public keys of the key documents, by id. */
  readonly keys = new Map<string, string>();
  /** Digests of artefacts that records name. */
  readonly artefacts = new Set<string>();
  /** By entry; their texts, whatever they say. */
  readonly timestamps = new Map<number, { token: string; headHash: string; genTime: string }>();
  readonly signatures: SignatureReport = { signed: 0, unsigned: 0, signatures: 0, keys: [], problems: [] };
  private readonly keyDocuments: SignedText[] = [];
  private pending: SignedText | null = null;
  private own: KeyRing | null = null;

  constructor(
    private readonly chain: LedgerEntry[],
    private readonly anchors: Anchors,
    private readonly problem: (message: string) => void,
  ) {}

  async take(seq: number, text: string, sha256: string): Promise<void> {
    await this.complete();
    const entry = this.chain[seq - 1];
    if (!entry) throw new FormatError({ code: 'archive.document', message: `it holds a document of entry ${seq}, and its chain has no such entry` });
    if (entry.recordSha256 !== sha256)
      this.problem(`Document ${entry.recordId} (entry ${seq}) was changed: its text does not have the digest that the chain states.`);
    this.pending = { entry, text, envelopes: [] };
    this.note(entry, parsed(text), sha256);
  }

  /** @param keyStart the beginning of the key's id, as the file is named */
  takeEnvelope({ seq, statement, keyStart }: { seq: number; statement: string; keyStart: string }, text: string): void {
    if (this.pending?.entry.seq !== seq)
      throw new FormatError({ code: 'archive.envelope', message: `a signature of entry ${seq} does not lie behind its document` });
    const keyId = keyIdIn(text);
    if (!keyId?.startsWith(keyStart)) this.problem(`A signature of entry ${seq} names another key than its file does.`);
    this.pending.envelopes.push({ seq, statement, keyId: keyId ?? keyStart, text });
  }

  /** After the last one. */
  async finish(): Promise<KeyRing> {
    await this.complete();
    return this.ring();
  }

  private async complete(): Promise<void> {
    const signed = this.pending;
    this.pending = null;
    if (!signed) return;
    const document = parsed(signed.text);
    if (!document || !isKind(document, 'key')) this.add(await checkDocument(await this.ring(), signed));
    else if (this.own) throw new FormatError({ code: 'archive.order', message: 'a key comes after what it signed' });
    else this.keyDocuments.push(signed);
  }

  /** Keys come first, so all are known when the first other document is complete. */
  private async ring(): Promise<KeyRing> {
    if (this.own) return this.own;
    this.own = new KeyRing(this.keyDocuments, this.anchors);
    this.signatures.keys = this.own.states();
    this.signatures.problems.push(...this.own.problems);
    for (const signed of this.keyDocuments) this.add(await checkDocument(this.own, signed));
    return this.own;
  }

  private add({ counts, signatures, problems }: DocumentSignatures): void {
    this.signatures[counts ? 'signed' : 'unsigned']++;
    this.signatures.signatures += signatures;
    this.signatures.problems.push(...problems.slice(0, Math.max(0, MAX_PROBLEMS - this.signatures.problems.length)));
  }

  /** What it says of other files; hostile, so nothing of it is taken for what it should be. */
  private note(entry: LedgerEntry, document: LedgerDocument | null, sha256: string): void {
    const { seq, recordId } = entry;
    this.found.push({ seq, id: recordId, kind: (document && kindOf(document)) ?? 'unknown', sha256 });
    if (document?.id !== recordId) this.problem(`Document ${recordId} (entry ${seq}) calls itself by another id.`);
    if (document && isKind(document, 'record') && Array.isArray(document.artefacts))
      for (const one of document.artefacts) this.artefacts.add(String(one?.sha256));
    if (document && isKind(document, 'key')) this.keys.set(String(document.keyId), String(document.publicKey));
    if (!document || !isKind(document, 'timestamp')) return;
    this.timestamps.set(seq, { token: String(document.token), headHash: String(document.headHash), genTime: String(document.genTime) });
    if (this.chain[document.headSeq - 1]?.entryHash !== document.headHash)
      this.problem(`The time stamp of entry ${seq} is about a head that the chain does not have.`);
  }
}

function parsed(text: string): LedgerDocument | null {
  try {
    const value = JSON.parse(text);
    return typeof value?.schema === 'string' && typeof value.id === 'string' ? value : null;
  } catch {
    return null;
  }
}

/** What an envelope says of its key: a hint. */
function keyIdIn(text: string): string | null {
  try {
    const keyId = JSON.parse(text)?.signatures?.[0]?.keyid as Partial<KeyDocument>['keyId'];
    return typeof keyId === 'string' ? keyId : null;
  } catch {
    return null;
  }
}
