/**
 * Appends documents to the ledger and signs them. A key that is missing, locked or broken never costs a document: it is stored unsigned,
 * that is told, and "attest" makes it good.
 */
import type { LedgerDocument } from '../documents.js';
import { LedgerError, SnapproofError } from '../errors.js';
import { type Ledger, type LedgerEntry, openLedger, type Sealed } from '../ledger/index.js';
import { keyInUse, openSigner, type Signer, type SigningContext, seal, sealNow } from './signer.js';

export interface RecorderOptions extends SigningContext {
  /** Then what could not be signed is an error, after it was stored. */
  requireSignature: boolean;
  /** Is told once why documents are stored unsigned. */
  tell: (trouble: SnapproofError) => void;
}

/**
 * Opens the ledger of a state folder for appending, with the key that it says is in use.
 * @throws LedgerError when the ledger cannot be used; with `requireSignature` also when nothing can be signed, before anything was done
 */
export async function openRecorder(options: RecorderOptions): Promise<Recorder> {
  const ledger = openLedger(options.stateFolder);
  try {
    const { signer, trouble } = await findSigner(ledger, options);
    if (signer === null && options.requireSignature) throw trouble ?? noKey(ledger);
    return new Recorder(ledger, signer, trouble, options);
  } catch (error) {
    ledger.close();
    throw error;
  }
}

async function findSigner(ledger: Ledger, context: SigningContext): Promise<{ signer: Signer | null; trouble: SnapproofError | null }> {
  try {
    return { signer: await openSigner(ledger, context), trouble: null };
  } catch (error) {
    if (!(error instanceof SnapproofError)) throw error;
    return { signer: null, trouble: error };
  }
}

export class Recorder {
  private told = false;

  constructor(
    readonly ledger: Ledger,
    private readonly signer: Signer | null,
    private trouble: SnapproofError | null,
    private readonly options: Pick<RecorderOptions, 'requireSignature' | 'tell'>,
  ) {}

  /**
   * When this returns, the document is on the disk, and signed if it can be.
   * @throws LedgerError when it could not be stored; with `requireSignature` also when it is stored, but unsigned
   */
  async append(document: LedgerDocument): Promise<LedgerEntry> {
    const entry = this.ledger.append(document, { seal: (next) => this.sealNow(document, next) });
    if (this.signer?.signNow === null) await this.sealLater(this.signer, document, entry);
    if (this.trouble) this.tell(document, this.trouble);
    return entry;
  }

  close(): void {
    this.ledger.close();
  }

  /** Within the transaction that stores it: between one look at the key and the signature nobody can revoke it. */
  private sealNow(document: LedgerDocument, entry: LedgerEntry): Sealed[] {
    const { signer } = this;
    if (!signer?.signNow) return [];
    if (keyInUse(this.ledger)?.keyId === signer.publicKey.keyId) return sealNow(signer.publicKey, signer.signNow, document, entry);
    this.trouble ??= keyEnded(signer);
    return [];
  }

  private async sealLater(signer: Signer, document: LedgerDocument, entry: LedgerEntry): Promise<void> {
    try {
      this.ledger.addEnvelopes(entry.seq, await seal(signer, document, entry));
    } catch (error) {
      if (!(error instanceof SnapproofError)) throw error;
      this.trouble = error;
    }
  }

  private tell(document: LedgerDocument, trouble: SnapproofError): void {
    if (this.options.requireSignature) throw unsigned(document, trouble);
    if (!this.told) this.options.tell(trouble);
    this.told = true;
  }
}

function keyEnded({ publicKey }: Signer): LedgerError {
  return new LedgerError({
    code: 'key.ended',
    message: `The key ${publicKey.keyId} was rotated or revoked while this run was at work: what it stores is not signed.`,
    advice: 'Run "snapproof attest" to sign it with the key that is in use now.',
  });
}

function unsigned(document: LedgerDocument, trouble: SnapproofError): LedgerError {
  const message = `${document.id} is stored, but not signed: ${trouble.message}`;
  return new LedgerError({ code: 'evidence.unsigned', message, advice: trouble.advice, cause: trouble });
}

function noKey(ledger: Ledger): LedgerError {
  return new LedgerError({
    code: 'key.none',
    message: `A signature is required, and the ledger ${ledger.path} has no key. Nothing was started.`,
    advice: 'Make one with "snapproof keys init".',
  });
}
