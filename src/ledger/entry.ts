/** What one row of the ledger holds, and how its hashes are made. The same few lines verify a ledger without snapproof. */
import * as crypto from 'node:crypto';
import { canonicalJson } from './canonical.js';

/** What the first entry names as its predecessor. */
export const GENESIS_HASH = '0'.repeat(64);

/** Told apart from digests made for any other purpose. */
const ENTRY_DOMAIN = 'snapproof.ledger-entry/v1\n';

/** Twice as fast for what is short; Node has it from 20.12 on. */
const atOnce: typeof crypto.hash | undefined = crypto.hash;

/** The hashed part of a row. All hashes are SHA-256 as 64 lower-case hexadecimal digits. */
export interface EntryFields {
  /** 1, 2, 3, ... without a gap. */
  seq: number;
  recordId: string;
  /** Of the record's canonical JSON, as UTF-8. */
  recordSha256: string;
  /** Entry hash of the predecessor; GENESIS_HASH for the first. */
  previousHash: string;
  /** Names the predecessor even after somebody removed it; empty for the first. */
  previousRecordId: string;
  /** ISO 8601, UTC. */
  appendedAt: string;
}

export interface LedgerEntry extends EntryFields {
  entryHash: string;
}

/** The last entry, kept apart from the entries so that their removal from the end is found. `count` 0: an empty ledger. */
export interface LedgerHead {
  count: number;
  hash: string;
  recordId: string;
}

export const EMPTY_HEAD: LedgerHead = { count: 0, hash: GENESIS_HASH, recordId: '' };

export function sha256Hex(content: string | Uint8Array): string {
  return atOnce ? atOnce('sha256', content, 'hex') : crypto.createHash('sha256').update(content).digest('hex');
}

/** SHA-256 of `snapproof.ledger-entry/v1`, a line feed, and the canonical JSON of the fields, written out here because it is made for every entry. */
export function entryHash(fields: EntryFields): string {
  const { seq, recordId, recordSha256, previousHash, previousRecordId, appendedAt } = fields;
  const first = `{"appendedAt":${json(appendedAt)},"previousHash":${json(previousHash)},"previousRecordId":${json(previousRecordId)}`;
  return sha256Hex(`${ENTRY_DOMAIN}${first},"recordId":${json(recordId)},"recordSha256":${json(recordSha256)},"seq":${json(seq)}}`);
}

/** As in canonical JSON: the names above are sorted already. */
function json(value: string | number): string {
  return JSON.stringify(value);
}

/** The entry that follows `head`. */
export function nextEntry(head: LedgerHead, recordId: string, canonicalRecord: string, appendedAt: string): LedgerEntry {
  const fields: EntryFields = {
    seq: head.count + 1,
    recordId,
    recordSha256: sha256Hex(canonicalRecord),
    previousHash: head.hash,
    previousRecordId: head.recordId,
    appendedAt,
  };
  return { ...fields, entryHash: entryHash(fields) };
}

/** SHA-256 of a value's canonical JSON: the same for equal values, whatever the order of their members. */
export function digestOf(value: unknown): string {
  return sha256Hex(canonicalJson(value));
}
