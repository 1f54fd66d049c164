/** The tables of a ledger, and the way of an older ledger to them: no statement here changes what was hashed. */
import { EMPTY_HEAD } from './entry.js';

export const SCHEMA_VERSION = 2;

/**
 * The first version. `record` is the canonical JSON of any document; what is computed from it cannot show what the hashed text does not say.
 * The triggers stop mistakes, not an attacker; the chain of hashes finds both. OR REPLACE deletes without firing a delete trigger,
 * hence the guard on insertion.
 */
const VERSION_1 = `
CREATE TABLE entries (
  seq INTEGER PRIMARY KEY,
  record_id TEXT NOT NULL UNIQUE,
  record TEXT NOT NULL,
  record_sha256 TEXT NOT NULL,
  previous_hash TEXT NOT NULL,
  previous_record_id TEXT NOT NULL,
  appended_at TEXT NOT NULL,
  entry_hash TEXT NOT NULL UNIQUE,
  machine TEXT GENERATED ALWAYS AS (json_extract(record, '$.restorePoint.machine')) VIRTUAL,
  verdict TEXT GENERATED ALWAYS AS (json_extract(record, '$.verdict')) VIRTUAL
) STRICT;
CREATE INDEX entries_by_machine ON entries (machine, seq);
CREATE INDEX entries_by_verdict ON entries (verdict, seq);
CREATE TABLE head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  count INTEGER NOT NULL,
  hash TEXT NOT NULL,
  record_id TEXT NOT NULL
) STRICT;
INSERT INTO head VALUES (1, ${EMPTY_HEAD.count}, '${EMPTY_HEAD.hash}', '${EMPTY_HEAD.recordId}');
CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER entries_only_next BEFORE INSERT ON entries
  WHEN NEW.seq <> (SELECT count FROM head) + 1 OR NEW.previous_hash <> (SELECT hash FROM head)
    OR EXISTS (SELECT 1 FROM entries WHERE record_id = NEW.record_id OR entry_hash = NEW.entry_hash)
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER head_only_forward BEFORE UPDATE ON head
  WHEN NEW.count <> OLD.count + 1 OR NEW.hash <> (SELECT entry_hash FROM entries WHERE seq = NEW.count)
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER head_no_delete BEFORE DELETE ON head BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
`;

/** The digests of the files that a document is about: those of its restore point. */
const filesOf = (row: string, from = ''): string => `SELECT DISTINCT json_extract(file.value, '$.sha256'), ${row}.seq
  FROM ${from} json_each(${row}.record, '$.restorePoint.files') AS file WHERE json_type(file.value, '$.sha256') = 'text'`;

/**
 * Version 2: documents of several kinds, look-ups by index, and signatures.
 * `files` repeats what the hashed text says, because no index reaches into a list; a search by it is held against the text, and
 * verification finds what is missing in it.
 */
const VERSION_2 = `
ALTER TABLE entries ADD COLUMN kind TEXT GENERATED ALWAYS AS (json_extract(record, '$.schema')) VIRTUAL;
ALTER TABLE entries ADD COLUMN about TEXT GENERATED ALWAYS AS (json_extract(record, '$.about')) VIRTUAL;
CREATE INDEX entries_by_kind ON entries (kind, seq);
CREATE INDEX entries_by_machine_and_verdict ON entries (machine, verdict, seq);
CREATE INDEX entries_by_time ON entries (appended_at, seq);
CREATE INDEX entries_by_about ON entries (about, seq) WHERE about IS NOT NULL;
CREATE TABLE files (
  sha256 TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (sha256, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO files ${filesOf('entries', 'entries,')};
CREATE TRIGGER files_follow AFTER INSERT ON entries BEGIN INSERT INTO files ${filesOf('NEW')}; END;
CREATE TRIGGER files_no_update BEFORE UPDATE ON files BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER files_no_delete BEFORE DELETE ON files BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TABLE envelopes (
  seq INTEGER NOT NULL,
  statement TEXT NOT NULL,
  key_id TEXT NOT NULL,
  envelope TEXT NOT NULL,
  PRIMARY KEY (seq, statement, key_id)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER envelopes_no_update BEFORE UPDATE ON envelopes BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER envelopes_no_delete BEFORE DELETE ON envelopes BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER envelopes_only_new BEFORE INSERT ON envelopes
  WHEN NOT EXISTS (SELECT 1 FROM entries WHERE seq = NEW.seq)
    OR EXISTS (SELECT 1 FROM envelopes WHERE seq = NEW.seq AND statement = NEW.statement AND key_id = NEW.key_id)
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
`;

/** What the table of digests must hold. */
export const FILES_OF_RECORDS = `SELECT sha256, seq FROM (${filesOf('entries', 'entries,').replace(', entries.seq', ' AS sha256, entries.seq AS seq')})`;

/** By the version that they lead to. Each is one transaction. */
export const STEPS: Record<number, string> = { 1: VERSION_1, 2: VERSION_2 };
