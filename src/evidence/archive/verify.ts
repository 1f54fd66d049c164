/** Verifies an archive of evidence without the ledger it came from: one pass, nothing written to the disk. */
import { createHash } from 'node:crypto';
import { FormatError } from '../../errors.js';
import type { LedgerEntry, LedgerHead } from '../../ledger/index.js';
import type { Anchors, KeyRing, SignatureReport } from '../check-signatures.js';
import { objectionToTimestamp } from '../timestamp.js';
import { headOf, readChain } from './chain.js';
import { type Contents, completenessProblems } from './completeness.js';
import { ArchivedDocuments } from './documents.js';
import type { ArchiveManifest } from './manifest.js';
import { readManifest } from './manifest.js';
import { type ArchiveFile, archiveFiles, wholeOf } from './reader.js';
import { checkSeal } from './seal.js';
import { Sums } from './sums.js';

export interface ArchiveVerification {
  ok: boolean;
  selection: ArchiveManifest['selection'] | null;
  madeAt: string | null;
  head: LedgerHead;
  files: number;
  documents: number;
  artefacts: number;
  timestamps: number;
  /** Key that signed the archive as a whole; null: nobody did. */
  sealedBy: string | null;
  signatures: SignatureReport;
  problems: string[];
}

const MAX_PROBLEMS = 1000;

export interface Demands {
  /** A head that was printed earlier: the chain must hold it. */
  head?: string | undefined;
  /** Certificates of authorities (PEM): tokens must verify with them. */
  tsaCa?: string | undefined;
}

/** Never throws for what it finds, only for what it cannot read. */
export async function verifyArchive(path: string, anchors: Anchors, { head, tsaCa }: Demands = {}): Promise<ArchiveVerification> {
  const verifier = new ArchiveVerifier(anchors);
  try {
    for await (const file of archiveFiles(path)) await verifier.take(file);
    await verifier.finish();
    if (head !== undefined) verifier.mustHold(head.replace(/\s/g, '').toLowerCase());
    if (tsaCa !== undefined) await verifier.checkTokens(tsaCa);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    verifier.problem(`The archive cannot be trusted: ${error.message}.`);
  }
  return verifier.result();
}

class ArchiveVerifier {
  private readonly sums = new Sums();
  private readonly problems: string[] = [];
  private readonly chain: LedgerEntry[] = [];
  private readonly documents: ArchivedDocuments;
  private readonly contents: Contents = { keys: new Map(), tokens: new Map(), artefacts: new Set() };
  private manifest: ArchiveManifest | null = null;
  private seal: string | null = null;
  private sealedBy: string | null = null;

  constructor(anchors: Anchors) {
    this.documents = new ArchivedDocuments(this.chain, anchors, (message) => this.problem(message));
  }

  problem(message: string): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push(message);
  }

  async take(file: ArchiveFile): Promise<void> {
    if (file.place.kind === 'chain') return this.takeChain(file);
    if (file.place.kind === 'artefact') return this.takeArtefact(file, file.place.sha256);
    const { bytes, sha256 } = await wholeOf(file);
    this.sums.found(file.name, sha256);
    await this.takeText(file, bytes, sha256);
  }

  /** After the last file. */
  async finish(): Promise<void> {
    const ring = await this.documents.finish();
    for (const message of this.sums.problems()) this.problem(message);
    const { found, keys, timestamps, artefacts } = this.documents;
    const tokens = new Map([...timestamps].map(([seq, { token }]) => [seq, token]));
    for (const message of completenessProblems(this.manifest, headOf(this.chain), found, { keys, tokens, artefacts }, this.contents)) this.problem(message);
    if (this.seal !== null) this.checkSeal(ring, this.seal);
  }

  mustHold(hash: string): void {
    if (!this.chain.some(({ entryHash }) => entryHash === hash)) this.problem(`No entry of the chain has the hash ${hash}.`);
  }

  async checkTokens(caFile: string): Promise<void> {
    for (const [seq, document] of this.documents.timestamps) {
      const why = await objectionToTimestamp(document, caFile);
      if (why !== null) this.problem(`The time stamp of entry ${seq} does not count: ${why}.`);
    }
  }

  result(): ArchiveVerification {
    const { problems, manifest, documents } = this;
    return {
      ok: problems.length === 0 && documents.signatures.problems.length === 0,
      selection: manifest?.selection ?? null,
      madeAt: manifest?.madeAt ?? null,
      head: headOf(this.chain),
      files: this.sums.count,
      documents: documents.found.length,
      artefacts: this.contents.artefacts.size,
      timestamps: documents.timestamps.size,
      sealedBy: this.sealedBy,
      signatures: documents.signatures,
      problems,
    };
  }

  private async takeText({ place }: ArchiveFile, bytes: Buffer, sha256: string): Promise<void> {
    const text = bytes.toString('utf8');
    if (place.kind === 'document') await this.documents.take(place.seq, text, sha256);
    else if (place.kind === 'envelope') this.documents.takeEnvelope(place, text);
    else if (place.kind === 'manifest') this.manifest = readManifest(text);
    else if (place.kind === 'key') this.contents.keys.set(place.keyId, text);
    else if (place.kind === 'timestamp') this.contents.tokens.set(place.seq, bytes.toString('base64'));
    else if (place.kind === 'sums') this.sums.stated(text);
    else if (place.kind === 'seal') this.seal = text;
  }

  private async takeChain(file: ArchiveFile): Promise<void> {
    const hash = createHash('sha256');
    for (const entry of await readChain(file.chunks, (chunk) => hash.update(chunk))) this.chain.push(entry);
    this.sums.found(file.name, hash.digest('hex'));
  }

  private async takeArtefact({ name, chunks }: ArchiveFile, expected: string): Promise<void> {
    const hash = createHash('sha256');
    for await (const chunk of chunks) hash.update(chunk);
    const sha256 = hash.digest('hex');
    this.sums.found(name, sha256);
    this.contents.artefacts.add(expected);
    if (sha256 !== expected) this.problem(`The artefact ${expected} was changed: its bytes have another digest.`);
  }

  private checkSeal(ring: KeyRing, text: string): void {
    const sealed = checkSeal(text, this.sums.sha256, ring.keys());
    const why = 'why' in sealed ? sealed.why : ring.standing(sealed.keyId, this.chain.length);
    if (why !== null) this.problem(`The signature of the archive as a whole does not count: ${why}.`);
    else if ('keyId' in sealed) this.sealedBy = sealed.keyId;
  }
}
