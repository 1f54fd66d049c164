/** Everything here is done as an attacker with the file in hand would do it: triggers dropped, hashes made anew where that is said. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { entryHash, type LedgerEntry, sha256Hex } from '../../src/ledger/entry.js';
import { type LedgerProblem, ledgerPath, openLedger, readLedger } from '../../src/ledger/index.js';
import { sampleRecord } from '../sample-record.js';

let state: string;
let attacker: Database.Database;

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'snapproof-state-'));
  const ledger = openLedger(state);
  for (let index = 1; index <= 9; index++) ledger.append(sampleRecord(`r${index}`));
  ledger.close();
  attacker = new Database(ledgerPath(state));
  const triggers = attacker.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all();
  for (const trigger of triggers) attacker.exec(`DROP TRIGGER ${trigger}`);
});
afterEach(() => {
  attacker.close();
  rmSync(state, { recursive: true });
});

function found(): [LedgerProblem['kind'], number | null, string | null][] {
  const ledger = readLedger(state);
  if (!ledger) throw new Error('no ledger');
  const { ok, problems } = ledger.verify();
  ledger.close();
  expect(ok).toBe(problems.length === 0);
  return problems.map(({ kind, seq, recordId }) => [kind, seq, recordId]);
}

const FIELDS =
  'seq, record_id AS recordId, record_sha256 AS recordSha256, previous_hash AS previousHash, previous_record_id AS previousRecordId, appended_at AS appendedAt';

function rehash(seq: number, previous?: { hash: string; recordId: string }): string {
  const text = attacker.prepare<number, string>('SELECT record FROM entries WHERE seq = ?').pluck().get(seq) ?? '';
  const stored = attacker.prepare<number, LedgerEntry>(`SELECT ${FIELDS} FROM entries WHERE seq = ?`).get(seq) as LedgerEntry;
  const entry = { ...stored, recordSha256: sha256Hex(text) };
  if (previous) Object.assign(entry, { previousHash: previous.hash, previousRecordId: previous.recordId });
  const hash = entryHash(entry);
  attacker
    .prepare('UPDATE entries SET record_sha256 = ?, previous_hash = ?, previous_record_id = ?, entry_hash = ? WHERE seq = ?')
    .run(entry.recordSha256, entry.previousHash, entry.previousRecordId, hash, seq);
  return hash;
}

function insert(seq: number, recordId: string, after: number): void {
  const text = JSON.stringify(sampleRecord(recordId));
  const before = attacker
    .prepare<number, { entryHash: string; recordId: string }>('SELECT entry_hash AS entryHash, record_id AS recordId FROM entries WHERE seq = ?')
    .get(after);
  const fields = {
    seq,
    recordId,
    recordSha256: sha256Hex(text),
    previousHash: before?.entryHash ?? '',
    previousRecordId: before?.recordId ?? '',
    appendedAt: '2026-11-20T02:00:00.000Z',
  };
  attacker
    .prepare(
      `INSERT INTO entries (seq, record_id, record, record_sha256, previous_hash, previous_record_id, appended_at, entry_hash)
       VALUES (@seq, @recordId, @text, @recordSha256, @previousHash, @previousRecordId, @appendedAt, @hash)`,
    )
    .run({ ...fields, text, hash: entryHash(fields) });
}

function swap(a: number, b: number): void {
  attacker.exec(
    `UPDATE entries SET seq = 1000 WHERE seq = ${a}; UPDATE entries SET seq = ${a} WHERE seq = ${b}; UPDATE entries SET seq = ${b} WHERE seq = 1000`,
  );
}

const turnIntoPassed = (seq: number): void => {
  attacker.prepare(`UPDATE entries SET record = replace(record, '"machine":"db1"', '"machine":"db2"') WHERE seq = ?`).run(seq);
};

describe('an unharmed ledger', () => {
  it('verifies, and says its head', () => {
    expect(found()).toEqual([]);
    const ledger = readLedger(state);
    expect(ledger?.verify()).toMatchObject({ ok: true, count: 9, head: { count: 9, recordId: 'r9', hash: expect.stringMatching(/^[0-9a-f]{64}$/) } });
    ledger?.close();
  });
});

describe('a changed record is found and named', () => {
  it('when only its text was changed', () => {
    turnIntoPassed(4);
    expect(found()).toEqual([['changed', 4, 'r4']]);
  });
  it('when its digest was made anew too', () => {
    turnIntoPassed(4);
    const text = attacker.prepare<[], string>('SELECT record FROM entries WHERE seq = 4').pluck().get() ?? '';
    attacker.prepare('UPDATE entries SET record_sha256 = ? WHERE seq = 4').run(sha256Hex(text));
    expect(found()).toEqual([['changed', 4, 'r4']]);
  });
  it.each([1, 4, 9])('when all its own hashes were made anew (entry %i)', (seq) => {
    turnIntoPassed(seq);
    rehash(seq);
    expect(found()).toEqual([['changed', seq, `r${seq}`]]);
  });
  it('when it was the time of its entry', () => {
    attacker.exec("UPDATE entries SET appended_at = '2020-01-01T00:00:00.000Z' WHERE seq = 6");
    expect(found()).toEqual([['changed', 6, 'r6']]);
  });
  it('when two were changed', () => {
    turnIntoPassed(2);
    rehash(2);
    turnIntoPassed(8);
    expect(found()).toEqual([
      ['changed', 2, 'r2'],
      ['changed', 8, 'r8'],
    ]);
  });
});

describe('a removed record is found and named', () => {
  it.each([1, 5, 9])('entry %i', (seq) => {
    attacker.exec(`DELETE FROM entries WHERE seq = ${seq}`);
    expect(found()).toEqual([['removed', seq, `r${seq}`]]);
  });
  it('when what follows was numbered anew', () => {
    attacker.exec('DELETE FROM entries WHERE seq = 5');
    for (let seq = 6; seq <= 9; seq++) attacker.exec(`UPDATE entries SET seq = ${seq - 1} WHERE seq = ${seq}`);
    expect(found()).toEqual([['removed', 5, 'r5']]);
  });
  it('when several were removed, also from the end', () => {
    attacker.exec('DELETE FROM entries WHERE seq IN (3, 4, 8, 9)');
    expect(found()).toEqual([
      ['removed', 3, null],
      ['removed', 4, 'r4'],
      ['removed', 8, null],
      ['removed', 9, 'r9'],
    ]);
  });
  it('when all were removed', () => {
    attacker.exec('DELETE FROM entries');
    expect(found().at(-1)).toEqual(['removed', 9, 'r9']);
    expect(found()).toHaveLength(9);
  });
  it('when the following entry was linked to the one before', () => {
    attacker.exec('DELETE FROM entries WHERE seq = 5');
    const before = attacker
      .prepare<[], { hash: string; recordId: string }>('SELECT entry_hash AS hash, record_id AS recordId FROM entries WHERE seq = 4')
      .get();
    rehash(6, before);
    expect(found()).toEqual([
      ['removed', 5, null],
      ['changed', 6, 'r6'],
    ]);
  });
});

describe('an inserted record is found and named', () => {
  it('at the end, without the head', () => {
    insert(10, 'forged', 9);
    expect(found()).toEqual([['inserted', 10, 'forged']]);
  });
  it('in the middle, with what follows numbered anew', () => {
    for (let seq = 9; seq >= 5; seq--) attacker.exec(`UPDATE entries SET seq = ${seq + 1} WHERE seq = ${seq}`);
    insert(5, 'forged', 4);
    expect(found()).toEqual([['inserted', 5, 'forged']]);
  });
  it('in the place of a removed one', () => {
    attacker.exec('DELETE FROM entries WHERE seq = 5');
    insert(5, 'forged', 4);
    expect(found()).toEqual(
      expect.arrayContaining([
        ['removed', 5, 'r5'],
        ['inserted', 5, 'forged'],
      ]),
    );
    expect(found()).toHaveLength(2);
  });
});

describe('reordered records are found and named', () => {
  it.each([
    [4, 5],
    [2, 8],
    [1, 9],
  ])('%i and %i', (a, b) => {
    swap(a, b);
    expect(found()).toEqual([
      ['reordered', a, `r${b}`],
      ['reordered', b, `r${a}`],
    ]);
  });
  it('when their hashes and links were made anew', () => {
    swap(5, 6);
    const before = attacker
      .prepare<[], { hash: string; recordId: string }>('SELECT entry_hash AS hash, record_id AS recordId FROM entries WHERE seq = 4')
      .get();
    const hash = rehash(5, before);
    rehash(6, { hash, recordId: 'r6' });
    expect(found()).toEqual(expect.arrayContaining([['reordered', 5, 'r6']]));
    expect(found().every(([kind]) => kind === 'reordered')).toBe(true);
  });
});

describe('the head', () => {
  it('removed', () => {
    attacker.exec('DELETE FROM head');
    expect(found()).toEqual([['head', null, null]]);
  });
  it('put back by one: the last entry is no longer vouched for', () => {
    attacker.exec("UPDATE head SET count = 8, record_id = 'r8', hash = (SELECT entry_hash FROM entries WHERE seq = 8)");
    expect(found()).toEqual([['inserted', 9, 'r9']]);
  });
  it('with a wrong count', () => {
    attacker.exec('UPDATE head SET count = 12');
    expect(found()).toEqual([['head', null, null]]);
  });
  it('numbers shifted as a whole', () => {
    for (let seq = 9; seq >= 1; seq--) attacker.exec(`UPDATE entries SET seq = ${seq + 100} WHERE seq = ${seq}`);
    expect(found()).toEqual([['head', null, null]]);
  });
  it('nothing is appended to an end that does not fit it', () => {
    attacker.exec('DELETE FROM entries WHERE seq = 9');
    const ledger = openLedger(state);
    expect(() => ledger.append(sampleRecord('r10'))).toThrow('was changed by something else');
    ledger.close();
  });
});
