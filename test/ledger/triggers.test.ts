/** What stops mistakes: somebody at a prompt with the ledger open. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ledgerPath, openLedger } from '../../src/ledger/index.js';
import { sampleRecord } from '../sample-record.js';

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'snapproof-state-'));
});
afterEach(() => rmSync(state, { recursive: true }));

describe('the triggers', () => {
  it.each([
    ['UPDATE', 'UPDATE entries SET record = 1'],
    ['DELETE', 'DELETE FROM entries WHERE seq = 9'],
    [
      'REPLACE of a number',
      "INSERT OR REPLACE INTO entries SELECT seq, record_id, '{}', record_sha256, previous_hash, previous_record_id, appended_at, entry_hash FROM entries WHERE seq = 9",
    ],
    [
      'REPLACE of a record',
      "INSERT OR REPLACE INTO entries SELECT 10, record_id, '{}', record_sha256, (SELECT hash FROM head), previous_record_id, appended_at, 'x' FROM entries WHERE seq = 5",
    ],
    ['an update of the head', "UPDATE head SET count = 8, hash = 'x'"],
    ['a delete of the head', 'DELETE FROM head'],
  ])('refuse %s', (_what, sql) => {
    const ledger = openLedger(state);
    for (let index = 1; index <= 9; index++) ledger.append(sampleRecord(`r${index}`));
    ledger.close();
    const database = new Database(ledgerPath(state));
    const columns = 'entries (seq, record_id, record, record_sha256, previous_hash, previous_record_id, appended_at, entry_hash)';
    expect(() => database.exec(sql.replace('INTO entries', `INTO ${columns}`))).toThrow('append-only');
    database.close();
  });
});
