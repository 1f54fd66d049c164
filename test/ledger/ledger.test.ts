import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LedgerError } from '../../src/errors.js';
import { connect } from '../../src/ledger/database.js';
import { Ledger, ledgerPath, openLedger, readLedger, stateFolder } from '../../src/ledger/index.js';
import { sampleRecord } from '../sample-record.js';
import { compileLedger } from './compiled.js';

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'snapproof-state-'));
});
afterEach(() => rmSync(state, { recursive: true }));

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(LedgerError);
    return (error as LedgerError).code;
  }
  return 'no error';
}

function fill(folder: string, count: number): void {
  const ledger = openLedger(folder);
  for (let index = 1; index <= count; index++) ledger.append(sampleRecord(`r${index}`));
  ledger.close();
}

describe('where the ledger lies', () => {
  it('is the folder given, else below XDG_STATE_HOME, else below the home folder', () => {
    expect(stateFolder('/x/y', {})).toBe('/x/y');
    expect(stateFolder(undefined, { XDG_STATE_HOME: '/s' })).toBe('/s/snapproof');
    expect(stateFolder(undefined, { XDG_STATE_HOME: 'relative' })).toBe(join(homedir(), '.local/state/snapproof'));
  });
  it('is a folder only its owner may enter, and a file only its owner may read', () => {
    fill(join(state, 'deep/er'), 1);
    expect(statSync(join(state, 'deep/er')).mode & 0o777).toBe(0o700);
    expect(statSync(ledgerPath(join(state, 'deep/er'))).mode & 0o777).toBe(0o600);
  });
});

describe('every connection', () => {
  it('has every commit on the disk before it returns, also when it reopens', () => {
    for (let round = 0; round < 2; round++) {
      const database = connect(ledgerPath(state));
      expect(database.pragma('synchronous', { simple: true })).toBe(2);
      expect(database.pragma('journal_mode', { simple: true })).toBe('wal');
      database.close();
    }
  });
});

describe('records', () => {
  it('come back as they went in, newest first, by machine, verdict and number', () => {
    const ledger = openLedger(state);
    const failed = { ...sampleRecord('r2'), verdict: 'failed' as const };
    const other = sampleRecord('r3', { restorePoint: { id: 'x', machine: 'web\u202e1', takenAt: null } });
    for (const record of [sampleRecord('r1'), failed, other]) ledger.append(record);
    expect(ledger.history().map(({ record }) => record)).toEqual([other, failed, sampleRecord('r1')]);
    expect(ledger.history({ machine: 'db1' }).map(({ seq }) => seq)).toEqual([2, 1]);
    expect(ledger.history({ verdict: 'passed', limit: 1 }).map(({ seq }) => seq)).toEqual([3]);
    expect(ledger.history({ machine: "db1' OR 1 --" })).toEqual([]);
    ledger.close();
  });
  it('cannot be stored twice under one id', () => {
    fill(state, 1);
    const ledger = openLedger(state);
    expect(codeOf(() => ledger.append(sampleRecord('r1')))).toBe('ledger.duplicate');
    expect(ledger.verify()).toMatchObject({ ok: true, count: 1 });
    ledger.close();
  });
});

describe('a ledger that is not there', () => {
  it('is null to a reader, and not made by reading', () => {
    expect(readLedger(state)).toBeNull();
    expect(existsSync(ledgerPath(state))).toBe(false);
  });
  it('that was only begun is empty', () => {
    writeFileSync(ledgerPath(state), '');
    const ledger = readLedger(state);
    expect(ledger?.verify()).toMatchObject({ ok: true, count: 0 });
    expect(ledger?.history()).toEqual([]);
    ledger?.close();
    fill(state, 1);
  });
});

describe('what cannot be used is refused with its reason, and left as it was', () => {
  it('something that is no database', () => {
    writeFileSync(ledgerPath(state), 'a shopping list, long enough to be looked at as a database header: '.repeat(3));
    const before = readFileSync(ledgerPath(state));
    expect(codeOf(() => openLedger(state))).toBe('ledger.foreign');
    expect(codeOf(() => readLedger(state))).toBe('ledger.foreign');
    expect(readFileSync(ledgerPath(state))).toEqual(before);
  });
  it('a database of something else', () => {
    new Database(ledgerPath(state)).exec('CREATE TABLE shopping (item)').close();
    const before = readFileSync(ledgerPath(state));
    expect(codeOf(() => openLedger(state))).toBe('ledger.foreign');
    expect(readFileSync(ledgerPath(state))).toEqual(before);
  });
  it('a newer version', () => {
    fill(state, 1);
    const database = new Database(ledgerPath(state));
    database.pragma('user_version = 3');
    database.close();
    expect(codeOf(() => openLedger(state))).toBe('ledger.newer');
    expect(codeOf(() => readLedger(state))).toBe('ledger.newer');
  });
  it('a damaged file', () => {
    fill(state, 60);
    truncateSync(ledgerPath(state), 8192);
    const corrupt = expect.stringMatching(/^ledger\.corrupt$/);
    expect(codeOf(() => readLedger(state)?.verify())).toEqual(corrupt);
    expect(codeOf(() => openLedger(state).append(sampleRecord('new')))).toEqual(corrupt);
  });
  it('one that another program keeps locked', () => {
    fill(state, 1);
    const other = new Database(ledgerPath(state));
    other.exec('BEGIN IMMEDIATE');
    const ledger = openLedger(state, { busyTimeoutMs: 50 });
    expect(codeOf(() => ledger.append(sampleRecord('r2')))).toBe('ledger.locked');
    expect(ledger.verify()).toMatchObject({ ok: true, count: 1 });
    other.exec('ROLLBACK');
    ledger.append(sampleRecord('r2'));
    ledger.close();
    other.close();
  });
  it('a folder that is a file', () => {
    writeFileSync(join(state, 'file'), '');
    expect(codeOf(() => openLedger(join(state, 'file')))).toBe('ledger.noFolder');
  });
});

describe('a disk without space', () => {
  /** Appends until it fails; what is in the ledger then must be whole. */
  function fillUp(ledger: Ledger): void {
    let stored = 0;
    const code = codeOf(() => {
      for (; stored < 10_000; stored++) ledger.append(sampleRecord(`r${stored}`, { deviations: ['x'.repeat(10_000)] }));
    });
    expect(code).toBe('ledger.full');
    expect(stored).toBeGreaterThan(0);
    expect(ledger.verify()).toMatchObject({ ok: true, count: stored });
  }
  it('refuses the record and keeps the rest (limit of SQLite)', () => {
    const database = connect(ledgerPath(state));
    database.pragma('max_page_count = 60');
    const ledger = new Ledger(database, ledgerPath(state));
    fillUp(ledger);
    database.pragma('max_page_count = 100000');
    ledger.append(sampleRecord('after'));
    expect(ledger.verify().ok).toBe(true);
    ledger.close();
  });
  it.skipIf(process.getuid?.() !== 0)('refuses the record and keeps the rest (mount of a small tmpfs, needs root)', () => {
    const small = join(state, 'small');
    mkdirSync(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=600k', 'tmpfs', small]);
    try {
      const ledger = openLedger(small);
      fillUp(ledger);
      ledger.close();
      expect(readLedger(small)?.verify().ok).toBe(true);
      writeFileSync(join(small, 'ballast'), '');
    } finally {
      execFileSync('umount', ['-l', small]);
    }
  });
});

describe('without the right to write', () => {
  /** Root may write anywhere, so the work is done by a child as an ordinary user. */
  function asOrdinaryUser(folder: string): string {
    const program = compileLedger();
    try {
      execFileSync('chmod', ['-R', 'a+rX', program]);
      const root = process.getuid?.() === 0;
      execFileSync(process.execPath, [join(program, 'writer.mjs'), folder, 'x', '1', '1'], { stdio: 'pipe', ...(root ? { uid: 65534, gid: 65534 } : {}) });
      return 'no error';
    } catch (error) {
      return String((error as { stderr?: Buffer }).stderr);
    } finally {
      rmSync(program, { recursive: true });
    }
  }
  it('in a read-only folder it says so and what to do', () => {
    chmodSync(state, 0o555);
    expect(asOrdinaryUser(state)).toMatch(/ledger\.(readOnly|forbidden)/);
    expect(asOrdinaryUser(join(state, 'below'))).toContain('ledger.forbidden');
  });
  it('in a folder it may not enter', () => {
    const closed = join(state, 'closed');
    fill(closed, 1);
    chmodSync(state, 0o755);
    expect(asOrdinaryUser(closed)).toMatch(/ledger\.(readOnly|forbidden)/);
  });
});
