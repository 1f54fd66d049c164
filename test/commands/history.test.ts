import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { historyCommand } from '../../src/commands/history.js';
import { ledgerPath, openLedger } from '../../src/ledger/index.js';
import { failed, hostile, inconclusive, passed } from '../reporters/records.js';
import { capture } from './streams.js';

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'snapproof-state-'));
});
afterEach(() => rmSync(state, { recursive: true }));

function fill(): void {
  const ledger = openLedger(state);
  for (const record of [passed, failed, inconclusive, hostile]) ledger.append(record);
  ledger.close();
}

describe('history', () => {
  it('shows a table, the newest first', async () => {
    fill();
    const { streams, out, err } = capture();
    expect(await historyCommand({ state }, streams)).toBe(0);
    expect(out()).toBe(
      [
        'ENTRY  VERDICT       CONSISTENCY  TESTED                MACHINE          RESTORE POINT',
        '    4  inconclusive  crash        2026-11-20 02:00 UTC  db\\x1b[31m1\\x9b  db1-2026-11-20',
        '    3  inconclusive  crash        2026-11-20 02:00 UTC  db1              db1-2026-11-20',
        '    2  failed        none         2026-11-20 02:00 UTC  db1              db1-2026-11-20',
        '    1  passed        crash        2026-11-20 02:00 UTC  db1              db1-2026-11-20',
        '4 records, the newest first.',
        '',
      ].join('\n'),
    );
    expect(err()).toBe('');
  });
  it('filters by machine, verdict and number', async () => {
    fill();
    const ids = async (options: object): Promise<number[]> => {
      const { streams, out } = capture();
      await historyCommand({ state, json: true, ...options }, streams);
      return (JSON.parse(out()) as { entries: { seq: number }[] }).entries.map(({ seq }) => seq);
    };
    expect(await ids({})).toEqual([4, 3, 2, 1]);
    expect(await ids({ machine: 'db1' })).toEqual([3, 2, 1]);
    expect(await ids({ verdict: 'inconclusive' })).toEqual([4, 3]);
    expect(await ids({ verdict: 'inconclusive', machine: 'db1', limit: 5 })).toEqual([3]);
    expect(await ids({ limit: 2 })).toEqual([4, 3]);
  });
  it('gives whole records as one JSON document', async () => {
    fill();
    const { streams, out } = capture();
    await historyCommand({ state, json: true, limit: 3, machine: 'db1', verdict: 'failed' }, streams);
    expect(JSON.parse(out())).toEqual({
      schema: 'snapproof.history/v1',
      ledger: ledgerPath(state),
      entries: [{ seq: 2, appendedAt: expect.any(String), record: failed }],
    });
  });
  it('says that there is no ledger, or nothing in it that fits', async () => {
    const none = capture();
    expect(await historyCommand({ state }, none.streams)).toBe(0);
    expect(none.err()).toContain('There is no ledger');
    fill();
    const empty = capture();
    expect(await historyCommand({ state, machine: 'web1' }, empty.streams)).toBe(0);
    expect(empty.err()).toBe('No record in the ledger fits.\n');
    expect(empty.out()).toBe('');
  });
  it.each([{ verdict: 'ok' }, { limit: 0 }, { limit: 1.5 }, { limit: Number.NaN }])('refuses %j', async (options) => {
    await expect(historyCommand({ state, ...options }, capture().streams)).rejects.toMatchObject({ exitCode: 2 });
  });
});
