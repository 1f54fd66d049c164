import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ledgerVerifyCommand } from '../../src/commands/ledger.js';
import { ledgerPath, openLedger } from '../../src/ledger/index.js';
import { failed, inconclusive, passed } from '../reporters/records.js';
import { capture } from './streams.js';

let state: string;
let head: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'snapproof-state-'));
  const ledger = openLedger(state);
  for (const record of [passed, failed, inconclusive]) ledger.append(record);
  head = ledger.head().hash;
  ledger.close();
});
afterEach(() => rmSync(state, { recursive: true }));

function tamper(sql: string): void {
  const database = new Database(ledgerPath(state));
  const triggers = database.prepare<[], { name: string; sql: string }>("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all();
  for (const { name } of triggers) database.exec(`DROP TRIGGER ${name}`);
  database.exec(sql);
  for (const trigger of triggers) database.exec(trigger.sql);
  database.close();
}

const FAILED_TO_PASSED = `UPDATE entries SET record = replace(record, '"verdict":"failed"', '"verdict":"passed"')`;

describe('ledger verify', () => {
  it('says that it verifies, and its head', async () => {
    const { streams, out } = capture();
    expect(await ledgerVerifyCommand({ state }, streams)).toBe(0);
    const text = out();
    expect(text).toMatch(/^VERIFIED\n/);
    expect(text.replaceAll('\n', ' ')).toContain('holds 3 entries, each as it was written.');
    expect(text).toContain(`Head: entry 3, record ${inconclusive.id}\n      ${head}\n`);
  });
  it('ends with 5 and names the record that was changed', async () => {
    tamper(FAILED_TO_PASSED);
    const { streams, out } = capture();
    expect(await ledgerVerifyCommand({ state }, streams)).toBe(5);
    const text = out();
    expect(text).toMatch(/^DOES NOT VERIFY\n/);
    expect(text).toContain(`  changed    Record ${failed.id} (entry 2) was changed`);
  });
  it('gives one JSON document', async () => {
    tamper('DELETE FROM entries WHERE seq = 2; DELETE FROM files WHERE seq = 2');
    const { streams, out } = capture();
    expect(await ledgerVerifyCommand({ state, json: true }, streams)).toBe(5);
    expect(JSON.parse(out())).toMatchObject({
      schema: 'snapproof.ledger-verification/v1',
      ledger: ledgerPath(state),
      ok: false,
      count: 2,
      head: { count: 3, hash: head, recordId: inconclusive.id },
      problems: [{ seq: 2, recordId: failed.id, kind: 'removed', message: expect.stringContaining('was removed') }],
    });
  });
  it('finds with a head that was printed earlier that the whole file was put back', async () => {
    expect(await ledgerVerifyCommand({ state, head: head.toUpperCase() }, capture().streams)).toBe(0);
    tamper(
      'DELETE FROM entries WHERE seq = 3; DELETE FROM files WHERE seq = 3; UPDATE head SET count = 2, (hash, record_id) = (SELECT entry_hash, record_id FROM entries WHERE seq = 2)',
    );
    expect(await ledgerVerifyCommand({ state }, capture().streams)).toBe(0);
    const { streams, out } = capture();
    expect(await ledgerVerifyCommand({ state, head }, streams)).toBe(5);
    expect(out()).toContain('put back to an');
  });
  it('does not verify what is not there', async () => {
    const missing = ledgerVerifyCommand({ state: join(state, 'nowhere') }, capture().streams);
    await expect(missing).rejects.toMatchObject({ exitCode: 5, code: 'ledger.missing' });
  });
});
