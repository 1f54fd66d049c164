/** A ledger that the first version wrote: `files/version-1.sqlite`. Its hashes are what they were, whoever opens it. */
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ledgerPath, openLedger, readLedger } from '../../src/ledger/index.js';
import { sampleRecord } from '../sample-record.js';
import { sampleDrill } from './documents.js';

const HEAD = { count: 7, hash: 'a3cda8ab4bf8a4bc2b196755aea317d4642c61fa35412215c0140f03473cd694', recordId: 'r3' };

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'snapproof-state-'));
  copyFileSync(join(import.meta.dirname, 'files/version-1.sqlite'), ledgerPath(state));
  chmodSync(ledgerPath(state), 0o600);
});
afterEach(() => rmSync(state, { recursive: true }));

describe('a ledger of version 1', () => {
  it('is of version 1', () => {
    const database = new Database(ledgerPath(state), { readonly: true });
    expect(database.pragma('user_version', { simple: true })).toBe(1);
    database.close();
  });
  it('is read, verifies, and is searched by what its records say', () => {
    const ledger = readLedger(state);
    expect(ledger?.verify()).toEqual({ ok: true, count: 7, head: HEAD, problems: [], notes: [] });
    expect(ledger?.history({ machine: 'db1', limit: 2 }).map(({ record }) => record.id)).toEqual(['r3', 'r2']);
    expect(ledger?.recordsOfDigest(['a'.repeat(64)]).map(({ entry }) => entry.seq)).toContain(5);
    expect(ledger?.latestFor('db1', { verdict: 'failed' })?.entry.seq).toBe(2);
    ledger?.close();
  });
  it('goes on with documents of all kinds, and no hash changes', () => {
    const ledger = openLedger(state);
    expect(ledger.append(sampleDrill('d1'))).toMatchObject({ seq: 8, previousHash: HEAD.hash, previousRecordId: 'r3' });
    ledger.append(sampleRecord('r9'));
    expect(ledger.holds(HEAD.hash)).toBe(true);
    expect(ledger.verify()).toMatchObject({ ok: true, count: 9 });
    ledger.close();
  });
  it('is brought up once, also by two at once', () => {
    const first = openLedger(state);
    const second = openLedger(state);
    first.append(sampleRecord('x1'));
    second.append(sampleRecord('x2'));
    expect(readLedger(state)?.verify()).toMatchObject({ ok: true, count: 9 });
    first.close();
    second.close();
  });
});
