import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Ledger, ledgerPath, openLedger, readLedger } from '../../src/ledger/index.js';
import type { VerdictWord, VerificationRecord } from '../../src/types.js';
import { sampleRecord } from '../sample-record.js';
import { sampleDrill, sampleKey, sampleSignOff, sampleTimestamp } from './documents.js';

let state: string;
let ledger: Ledger;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'snapproof-state-'));
  ledger = openLedger(state);
});
afterEach(() => {
  ledger.close();
  rmSync(state, { recursive: true });
});

function record(id: string, machine: string, verdict: VerdictWord, digests: string[] = []): VerificationRecord {
  const files = digests.map((digit) => ({ role: 'disk' as const, path: `${digit}.raw`, format: 'raw', sizeBytes: 1, sha256: digit.repeat(64) }));
  return { ...sampleRecord(id, { restorePoint: { id: `${machine}-1`, machine, takenAt: null }, files }), verdict };
}

const ids = (found: { document: { id: string } }[]): string[] => found.map(({ document }) => document.id);

describe('documents of all kinds', () => {
  it('lie in one chain, and come back as they went in', () => {
    const documents = [sampleKey('k1'), sampleRecord('r1'), sampleDrill('d1'), sampleSignOff('s1', 'd1'), sampleTimestamp('t1')];
    for (const document of documents) ledger.append(document);
    expect(ledger.documents().map(({ document }) => document)).toEqual([...documents].reverse());
    expect(ledger.verify()).toMatchObject({ ok: true, count: 5 });
    expect(ids(ledger.documents({ kind: 'drill' }))).toEqual(['d1']);
    expect(ledger.find('t1')?.entry).toMatchObject({ seq: 5, previousRecordId: 's1' });
    expect(ledger.find('nobody')).toBeNull();
    expect(ledger.at(2)?.document).toEqual(documents[1]);
  });
  it('history shows records only, though a drill has a verdict too', () => {
    for (const document of [sampleRecord('r1'), sampleDrill('d1'), sampleSignOff('s1', 'r1')]) ledger.append(document);
    expect(ledger.history().map((item) => item.record.id)).toEqual(['r1']);
    expect(ledger.history({ verdict: 'passed' }).map((item) => item.record.id)).toEqual(['r1']);
  });
  it('sign-offs are found by what they are about', () => {
    for (const document of [sampleRecord('r1'), sampleRecord('r2'), sampleSignOff('s1', 'r1'), sampleSignOff('s2', 'r2'), sampleSignOff('s3', 'r1')])
      ledger.append(document);
    expect(ids(ledger.documents({ kind: 'sign-off', about: 'r1' }))).toEqual(['s3', 's1']);
  });
  it('one id is one document, whatever its kind', () => {
    ledger.append(sampleRecord('x'));
    expect(() => ledger.append(sampleDrill('x'))).toThrow('already holds a document x');
  });
});

describe('by machine', () => {
  beforeEach(() => {
    const all: [string, string, VerdictWord][] = [
      ['r1', 'db1', 'passed'],
      ['r2', 'db1', 'failed'],
      ['r3', 'web1', 'inconclusive'],
      ['r4', 'db1', 'inconclusive'],
    ];
    for (const [id, machine, verdict] of all) ledger.append(record(id, machine, verdict));
  });
  it('gives the newest record, of all or with one verdict', () => {
    expect(ledger.latestFor('db1')?.document.id).toBe('r4');
    expect(ledger.latestFor('db1', { verdict: 'passed' })?.document.id).toBe('r1');
    expect(ledger.latestFor('db1', { beforeSeq: 4 })?.document.id).toBe('r2');
    expect(ledger.latestFor('web1', { verdict: 'passed' })).toBeNull();
    expect(ledger.latestFor('nobody')).toBeNull();
  });
  it('names all machines once', () => {
    expect(ledger.machines()).toEqual(['db1', 'web1']);
  });
});

describe('by the digests of files', () => {
  it('gives the records that have all of them, the newest first', () => {
    ledger.append(record('r1', 'db1', 'passed', ['a', 'b']));
    ledger.append(record('r2', 'db1', 'failed', ['a', 'b', 'c']));
    ledger.append(record('r3', 'db1', 'failed', ['a', 'a']));
    const of = (...digits: string[]): string[] => ids(ledger.recordsOfDigest(digits.map((digit) => digit.repeat(64))));
    expect(of('a')).toEqual(['r3', 'r2', 'r1']);
    expect(of('a', 'b')).toEqual(['r2', 'r1']);
    expect(of('b', 'c', 'b')).toEqual(['r2']);
    expect(of('d')).toEqual([]);
    expect(of()).toEqual([]);
    expect(ids(ledger.recordsOfDigest(['a'.repeat(64)], 1))).toEqual(['r3']);
  });
  it('does not believe its table when the record does not say so', () => {
    ledger.append(record('r1', 'db1', 'passed', ['a']));
    new Database(ledgerPath(state)).exec(`INSERT INTO files VALUES ('${'b'.repeat(64)}', 1)`).close();
    expect(ledger.recordsOfDigest(['b'.repeat(64)])).toEqual([]);
  });
});

describe('by time', () => {
  const at = (hour: number): Date => new Date(Date.UTC(2026, 10, 20, hour));
  it('gives what was appended between, in the order of the chain', () => {
    for (let hour = 1; hour <= 5; hour++) ledger.append(hour === 3 ? sampleDrill('d3') : sampleRecord(`r${hour}`), { now: at(hour) });
    expect(ids(ledger.between(at(2).toISOString(), at(4).toISOString()))).toEqual(['r2', 'd3', 'r4']);
    expect(ids(ledger.between(at(2).toISOString(), at(4).toISOString(), 'record'))).toEqual(['r2', 'r4']);
  });
  it('a clock that goes back keeps the order, and is noted', () => {
    for (const hour of [5, 3, 4, 6]) ledger.append(sampleRecord(`r${hour}`), { now: at(hour) });
    const { ok, notes } = ledger.verify();
    expect(ok).toBe(true);
    expect(notes).toEqual([{ seq: 2, message: expect.stringContaining('went back: entry 2 was appended at 2026-11-20T03:00:00.000Z, after entry 1') }]);
    expect(ledger.history().map(({ record: { id } }) => id)).toEqual(['r6', 'r4', 'r3', 'r5']);
  });
});

describe('one entry and its place', () => {
  beforeEach(() => {
    for (let index = 1; index <= 5; index++) ledger.append(record(`r${index}`, 'db1', 'passed'));
  });
  it.each([1, 3, 5])('is in order (entry %i)', (seq) => {
    expect(ledger.checkEntry(seq)).toEqual([]);
  });
  it.each([
    ["UPDATE entries SET record = replace(record, 'db1', 'db2') WHERE seq = 3", 3, ['The text of entry 3 is not what was stored.']],
    ["UPDATE entries SET appended_at = '2020-01-01T00:00:00.000Z' WHERE seq = 3", 3, ['The fields of entry 3 are not what was stored.']],
    ['DELETE FROM entries WHERE seq = 2', 3, ['Entry 3 does not follow the one before it.']],
    ['DELETE FROM entries WHERE seq = 4', 3, ['What follows entry 3 does not name it.']],
    ["UPDATE head SET hash = 'x'", 5, ['What follows entry 5 does not name it.']],
    ['DELETE FROM entries WHERE seq = 3', 3, ['There is no entry 3.']],
  ])('is not after %s', (sql, seq, problems) => {
    const attacker = new Database(ledgerPath(state));
    for (const trigger of attacker.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all())
      attacker.exec(`DROP TRIGGER ${trigger}`);
    attacker.exec(sql);
    attacker.close();
    const reader = readLedger(state);
    const found = reader?.checkEntry(seq);
    reader?.close();
    expect(found?.slice(-1)).toEqual(problems.slice(-1));
  });
});

describe('signatures', () => {
  const envelope = { payloadType: 'text/plain', payload: 'eA==', signatures: [{ keyid: 'k', sig: 'eQ==' }] };
  const sealed = { statement: 'record', keyId: 'k', envelope };
  it('are stored with the entry, or later, and never twice', () => {
    ledger.append(sampleRecord('r1'), { seal: ({ seq }) => (seq === 1 ? [sealed] : []) });
    ledger.append(sampleRecord('r2'));
    expect(ledger.unsealed('record')).toEqual([2]);
    ledger.addEnvelopes(2, [sealed]);
    expect(ledger.unsealed('record')).toEqual([]);
    expect([...ledger.envelopes()].map(({ seq, text }) => [seq, JSON.parse(text)])).toEqual([
      [1, envelope],
      [2, envelope],
    ]);
    expect(() => ledger.addEnvelopes(2, [sealed])).toThrow('append-only');
    expect(() => ledger.addEnvelopes(3, [sealed])).toThrow('append-only');
  });
  it('that cannot be made undo the entry', () => {
    const seal = (): never => {
      throw new Error('no key');
    };
    expect(() => ledger.append(sampleRecord('r1'), { seal })).toThrow('no key');
    expect(ledger.verify()).toMatchObject({ ok: true, count: 0 });
  });
  it.each(['UPDATE envelopes SET envelope = 1', 'DELETE FROM envelopes', "INSERT OR REPLACE INTO envelopes VALUES (1, 'record', 'k', '{}')"])(
    'refuse %s',
    (sql) => {
      ledger.append(sampleRecord('r1'), { seal: () => [sealed] });
      const database = new Database(ledgerPath(state));
      expect(() => database.exec(sql)).toThrow('append-only');
      database.close();
    },
  );
});
