/** Whatever somebody does to some rows, the ledger does not verify, and the diagnosis ends. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { entryHash, type LedgerEntry } from '../../src/ledger/entry.js';
import { ledgerPath, openLedger } from '../../src/ledger/index.js';
import { verifyEntries } from '../../src/ledger/verify.js';
import { sampleRecord } from '../sample-record.js';

const COUNT = 7;
const COLUMNS = ['record', 'record_id', 'record_sha256', 'previous_hash', 'previous_record_id', 'appended_at', 'entry_hash'];
const ALL = 'SELECT seq, record, record_id, record_sha256, previous_hash, previous_record_id, appended_at, entry_hash FROM entries ORDER BY seq';
let original: Buffer;

beforeAll(() => {
  const state = mkdtempSync(join(tmpdir(), 'snapproof-state-'));
  const ledger = openLedger(state);
  for (let index = 1; index <= COUNT; index++) ledger.append(sampleRecord(`r${index}`));
  ledger.close();
  const database = new Database(ledgerPath(state));
  database.pragma('journal_mode = DELETE');
  for (const trigger of database.prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all())
    database.exec(`DROP TRIGGER ${trigger}`);
  database.close();
  original = readFileSync(ledgerPath(state));
  rmSync(state, { recursive: true });
});

type Deed = (database: Database.Database) => void;
const place = fc.integer({ min: 1, max: COUNT });
const edit = fc.tuple(place, fc.constantFrom(...COLUMNS), fc.string()).map(
  ([seq, column, text]): Deed =>
    (database) => {
      const value = column === 'record' ? JSON.stringify({ text }) : text;
      database.prepare(`UPDATE OR IGNORE entries SET ${column} = ? WHERE seq = ?`).run(value, seq);
    },
);
const remove = place.map(
  (seq): Deed =>
    (database) =>
      database.prepare('DELETE FROM entries WHERE seq = ?').run(seq),
);
const move = fc.tuple(place, fc.integer({ min: -3, max: 20 })).map(
  ([seq, target]): Deed =>
    (database) =>
      database.prepare('UPDATE OR IGNORE entries SET seq = ? WHERE seq = ?').run(target, seq),
);
const copy = fc.tuple(place, fc.constantFrom(...COLUMNS), place).map(
  ([from, column, to]): Deed =>
    (database) => {
      database.prepare(`UPDATE OR IGNORE entries SET ${column} = (SELECT ${column} FROM entries WHERE seq = ?) WHERE seq = ?`).run(from, to);
    },
);
const rehash = place.map(
  (at): Deed =>
    (database) => {
      const sql = `SELECT seq, record_id AS recordId, record_sha256 AS recordSha256, previous_hash AS previousHash, previous_record_id AS previousRecordId, appended_at AS appendedAt FROM entries WHERE seq = ?`;
      const entry = database.prepare<number, LedgerEntry>(sql).get(at);
      if (entry) database.prepare('UPDATE OR IGNORE entries SET entry_hash = ? WHERE seq = ?').run(entryHash(entry), at);
    },
);
const head = fc.tuple(fc.integer({ min: -1, max: 20 }), fc.constantFrom('count', 'hash', 'record_id')).map(
  ([value, column]): Deed =>
    (database) => {
      database.prepare(`UPDATE head SET ${column} = ?`).run(column === 'count' ? value : String(value));
    },
);

const contents = (database: Database.Database): unknown => [database.prepare(ALL).all(), database.prepare('SELECT * FROM head').all()];

describe('any tampering', () => {
  it('that changes anything is found, unless the head was made to fit a whole chain', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(edit, remove, move, copy, rehash, head), { maxLength: 6 }), (deeds) => {
        const database = new Database(original);
        try {
          const before = contents(database);
          for (const deed of deeds) deed(database);
          const changed = JSON.stringify(contents(database)) !== JSON.stringify(before);
          const { ok, problems } = verifyEntries(database);
          expect(ok).toBe(!changed);
          expect(problems.length > 0).toBe(changed);
        } finally {
          database.close();
        }
      }),
      { numRuns: 500 },
    );
  });
});
