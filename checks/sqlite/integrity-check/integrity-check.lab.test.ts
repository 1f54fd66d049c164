/** What the check makes of the answers of the real sqlite3 program. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Sandbox, SandboxRequest } from '../../../src/labs/lab.js';
import { contextOver } from '../../testing/folder-guest.js';
import { targetAt } from '../testing/instance.js';
import { addRows, copyDatabase, damage, openSample } from '../testing/sample.js';
import { directSandbox, missingProgram } from '../testing/sqlite-program.js';
import check from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'snapproof-integrity-'));
const scratchParent = mkdtempSync(join(tmpdir(), 'snapproof-integrity-scratch-'));
const scratchFolder = async () => mkdtempSync(join(scratchParent, 'copy-'));
beforeAll(() => {
  expect(missingProgram()).toBeNull();
  const database = openSample(join(folder, 'live.db'), { journalMode: 'wal' });
  addRows(database, 60, 2);
  copyDatabase(join(folder, 'live.db'), join(folder, 'whole.db'));
  database.pragma('wal_checkpoint(TRUNCATE)');
  copyDatabase(join(folder, 'live.db'), join(folder, 'damaged.db'), ['']);
  database.close();
  damage(join(folder, 'damaged.db'), (bytes) => bytes.fill(0, 5 * 1024, 9 * 1024));
});
afterAll(() => {
  for (const path of [folder, scratchParent]) rmSync(path, { recursive: true, force: true });
});

async function judge(name: string, options = check.defaultOptions, sandbox: Sandbox = directSandbox) {
  const evidence = await check.collect(targetAt(`/${name}`), contextOver(folder, { options, labs: { sandbox, scratchFolder } }));
  return check.evaluate(JSON.parse(JSON.stringify(evidence)), options);
}

describe('sqlite/integrity-check', () => {
  it('passes a database that needs its log, and leaves the original as it was', async () => {
    const before = readFileSync(join(folder, 'whole.db'));
    const files = readdirSync(folder);
    expect(await judge('whole.db')).toMatchObject({ outcome: 'pass', findings: [], untested: [] });
    expect(readFileSync(join(folder, 'whole.db')).equals(before)).toBe(true);
    expect(readdirSync(folder)).toEqual(files);
  });

  it('fails a damaged database with the words of SQLite', async () => {
    const judgement = await judge('damaged.db');
    expect(judgement.outcome).toBe('fail');
    expect(judgement.findings[0]?.message).toMatch(/^SQLite says of \/damaged.db: /);
  });

  it('lets the tool write to the scratch folder only', async () => {
    const requests: SandboxRequest[] = [];
    const sandbox: Sandbox = {
      run: (request, signal) => {
        requests.push(request);
        return directSandbox.run(request, signal);
      },
    };
    await judge('whole.db', check.defaultOptions, sandbox);
    expect(requests.length).toBeGreaterThan(0);
    for (const { readable, writable } of requests) {
      expect(readable ?? []).toEqual([]);
      expect(writable?.every((path) => !path.startsWith(folder))).toBe(true);
    }
  });

  it('does not read a quiet answer as a pass', () => {
    const ran = { pragma: 'integrity_check' as const, foreign: null, answer: [], errors: [], foreignKeyViolations: null, durationMs: 1 };
    const evidence = { path: '/x.db', volume: 'disk0', sizeBytes: 1, walBytes: 0, readable: true, ran };
    expect(check.evaluate(evidence, check.defaultOptions).outcome).toBe('fail');
    expect(check.evaluate({ ...evidence, ran: { ...ran, answer: ['ok', 'ok'] } }, check.defaultOptions).outcome).toBe('fail');
  });

  it('says that a database above the limit was not tested', async () => {
    expect(await judge('whole.db', { maxBytes: 1000 })).toMatchObject({ outcome: 'pass', tested: [], untested: [{ holdsData: true }] });
  });

  it('falls back to quick_check where a collation of the guest is unknown here', async () => {
    const answers = [
      { stdout: '', stderr: 'Error: stepping, no such collation sequence: guest (1)' },
      { stdout: 'ok\n', stderr: '' },
      { stdout: '0\n', stderr: '' },
    ];
    const sandbox: Sandbox = {
      run: async () => ({ exitCode: 0, timedOut: false, truncated: false, durationMs: 1, ...(answers.shift() ?? { stdout: '', stderr: '' }) }),
    };
    expect(await judge('whole.db', check.defaultOptions, sandbox)).toMatchObject({ outcome: 'pass', untested: [{ holdsData: false }] });
  });
});
