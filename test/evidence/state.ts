/** A state folder for a test, and what signing in it needs. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import type { SnapproofError } from '../../src/errors.js';
import { initKey, openRecorder, type Recorder, type SigningContext } from '../../src/evidence/index.js';
import { ledgerPath, openLedger } from '../../src/ledger/index.js';

export interface TestState extends SigningContext {
  /** What the recorder told. */
  told: SnapproofError[];
  recorder(requireSignature?: boolean): Promise<Recorder>;
  /** Changes the file as somebody without respect for triggers would. */
  tamper(sql: string): void;
  remove(): void;
}

export function newState(changes: Partial<SigningContext> = {}): TestState {
  const folder = mkdtempSync(join(tmpdir(), 'snapproof-state-'));
  const context: SigningContext = { stateFolder: folder, env: {}, passphrase: async () => null, ...changes };
  const told: SnapproofError[] = [];
  return {
    ...context,
    told,
    recorder: (requireSignature = false) => openRecorder({ ...context, requireSignature, tell: (trouble) => told.push(trouble) }),
    tamper: (sql) => tamper(folder, sql),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** Makes the first key. @returns its id */
export async function withKey(state: TestState, passphrase: string | null = null): Promise<string> {
  const ledger = openLedger(state.stateFolder);
  const { key } = await initKey(ledger, state, { passphrase, publicKey: null }, false);
  ledger.close();
  return key.keyId;
}

function tamper(folder: string, sql: string): void {
  const database = new Database(ledgerPath(folder));
  const triggers = database.prepare<[], { name: string; sql: string }>("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").all();
  for (const { name } of triggers) database.exec(`DROP TRIGGER ${name}`);
  database.exec(sql);
  for (const trigger of triggers) database.exec(trigger.sql);
  database.close();
}
