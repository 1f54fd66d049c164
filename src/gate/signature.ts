/** Whether somebody whose key counts vouches for a record. */
import { type Anchors, signaturesOfEntry } from '../evidence/index.js';
import type { Ledger } from '../ledger/index.js';
import type { SignatureJudge } from './candidates.js';

/** @param anchors keys that somebody names; none: trust begins with the first key of the ledger */
export function signatureJudge(ledger: Ledger, anchors: Anchors): SignatureJudge {
  return async ({ entry }) => {
    const found = await signaturesOfEntry(ledger, entry.seq, anchors);
    if (found?.counts) return null;
    return found?.problems[0]?.message.replace(/\.$/, '') ?? 'it carries no signature';
  };
}
