import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readLedger } from '../../src/ledger/index.js';
import { compileLedger } from './compiled.js';

let program: string;
let state: string;
beforeAll(() => {
  program = compileLedger();
});
afterAll(() => rmSync(program, { recursive: true }));
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'snapproof-state-'));
});
afterEach(() => rmSync(state, { recursive: true }));

interface Writer {
  child: ChildProcess;
  ended: Promise<{ code: number | null; stored: string[]; errors: string }>;
}

function startWriter(prefix: string, count: number, length = 2000): Writer {
  const child = spawn(process.execPath, [join(program, 'writer.mjs'), join(state, 'new'), prefix, String(count), String(length)]);
  let output = '';
  let errors = '';
  child.stdout.on('data', (data: Buffer) => {
    output += data;
  });
  child.stderr.on('data', (data: Buffer) => {
    errors += data;
  });
  const ended = new Promise<{ code: number | null; stored: string[]; errors: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, stored: output.split('\n').slice(0, -1), errors }));
  });
  return { child, ended };
}

function stored(): { ids: string[]; ok: boolean; problems: unknown[] } {
  const ledger = readLedger(join(state, 'new'));
  if (!ledger) return { ids: [], ok: true, problems: [] };
  const { ok, problems } = ledger.verify();
  const ids = ledger.history().map(({ record }) => record.id);
  ledger.close();
  return { ids, ok, problems };
}

describe('several writers', () => {
  it('two processes that start at once and append 200 records each lose none and break nothing', { timeout: 60_000 }, async () => {
    const results = await Promise.all(['first', 'second'].map((prefix) => startWriter(prefix, 200).ended));
    expect(results.map(({ code, errors }) => ({ code, errors }))).toEqual([
      { code: 0, errors: '' },
      { code: 0, errors: '' },
    ]);
    const { ids, ok, problems } = stored();
    expect(problems).toEqual([]);
    expect(ok).toBe(true);
    expect(new Set(ids)).toEqual(new Set(results.flatMap((result) => result.stored)));
    expect(ids).toHaveLength(400);
    expect(statSync(join(state, 'new')).mode & 0o777).toBe(0o700);
  });

  it('SIGKILL at any moment leaves whole entries only, and every one that was reported', { timeout: 120_000 }, async () => {
    const reported: string[] = [];
    for (let round = 0; round < 8; round++) {
      const writer = startWriter(`round${round}`, 100_000, 20_000);
      // Some are killed while they start (or make the ledger), the others while they append.
      if (round % 4 === 0) setTimeout(() => writer.child.kill('SIGKILL'), 60 + round * 30);
      else writer.child.stdout?.once('data', () => setTimeout(() => writer.child.kill('SIGKILL'), round * 23));
      reported.push(...(await writer.ended).stored);
      const { ids, ok, problems } = stored();
      expect(problems).toEqual([]);
      expect(ok).toBe(true);
      expect(ids).toEqual(expect.arrayContaining(reported));
      expect(ids.length - reported.length).toBeLessThanOrEqual(round + 1);
    }
    expect(reported.length).toBeGreaterThan(0);
  });
});
