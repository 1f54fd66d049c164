/**
 * Which keys count where in the chain. Pure.
 * Trust begins with the keys that somebody names, else with the first key of the ledger. A later key counts when one that counts signed
 * its coming; a key stops to count after the place in the chain that says it was rotated out or revoked.
 */
import type { KeyDocument } from '../documents.js';

export type KeyStanding = 'trusted' | 'unvouched' | 'rotated' | 'revoked';

export interface KeyState {
  keyId: string;
  standing: KeyStanding;
  addedSeq: number;
  /** Last entry that it may sign; null: no end. */
  endSeq: number | null;
  reason: string;
}

export class Trust {
  private readonly keys = new Map<string, KeyState>();

  /** @param named ids of keys that are trusted whatever the chain says of their coming; none: the first of the ledger is */
  constructor(private readonly named: ReadonlySet<string>) {}

  /**
   * Takes the next key document of the chain.
   * @param signers ids of the keys that truly signed it
   * @returns why it does not count, or null
   */
  take(document: KeyDocument, seq: number, signers: ReadonlySet<string>): string | null {
    return document.event === 'added' ? this.add(document, seq, signers) : this.end(document, seq, signers);
  }

  /** Why a signature with this key proves nothing about this entry; null when it does. */
  objection(keyId: string, seq: number): string | null {
    const state = this.keys.get(keyId);
    if (!state && this.named.has(keyId)) return null;
    if (!state) return 'its key is not in the ledger';
    if (state.standing === 'unvouched') return 'no key that is trusted vouches for its key';
    if (state.endSeq === null || seq <= state.endSeq) return null;
    return `its key was ${state.standing} before, at entry ${state.endSeq}`;
  }

  states(): KeyState[] {
    return [...this.keys.values()];
  }

  private add({ keyId, reason }: KeyDocument, seq: number, signers: ReadonlySet<string>): string | null {
    if (this.keys.has(keyId)) return 'the key was added before';
    const trusted = this.mayBegin(keyId) || this.someTrusted(signers, keyId, seq);
    const counts = trusted && signers.has(keyId);
    this.keys.set(keyId, { keyId, standing: counts ? 'trusted' : 'unvouched', addedSeq: seq, endSeq: null, reason });
    if (!signers.has(keyId)) return 'it is not signed with the key that it adds';
    return trusted ? null : 'no key that is trusted vouches for the key that it adds';
  }

  private mayBegin(keyId: string): boolean {
    return this.named.has(keyId) || (this.named.size === 0 && this.keys.size === 0);
  }

  private end({ keyId, event, reason }: KeyDocument, seq: number, signers: ReadonlySet<string>): string | null {
    const state = this.keys.get(keyId);
    if (!state) return 'the key that it ends is not in the ledger';
    if (!this.someTrusted(signers, null, seq)) return 'no key that is trusted signed it';
    if (state.endSeq !== null) return event === 'revoked' && state.standing === 'rotated' ? this.revokeRotated(state, reason) : 'the key was ended before';
    Object.assign(state, { standing: event, endSeq: seq, reason });
    return null;
  }

  /** Where it ends stays: it could sign nothing since. */
  private revokeRotated(state: KeyState, reason: string): null {
    Object.assign(state, { standing: 'revoked', reason });
    return null;
  }

  private someTrusted(signers: ReadonlySet<string>, except: string | null, seq: number): boolean {
    return [...signers].some((signer) => signer !== except && this.objection(signer, seq) === null);
  }
}
