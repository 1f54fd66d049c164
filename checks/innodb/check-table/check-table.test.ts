import { describe, expect, it } from 'vitest';
import check, { type CheckEvidence, evaluateCheck } from './index.js';

const evidence = (lines: [string, string, string][], changes: Partial<CheckEvidence> = {}): CheckEvidence => ({
  ...{ seconds: 1, timedOut: false, tables: 36, sound: 35, clientSaid: [], recovered: true, complaints: [] },
  lines: lines.map(([table, type, text]) => ({ table, type, text })),
  ...changes,
});

describe(check.id, () => {
  it('passes sound tables, with what is normal after a hot copy', () => {
    expect(evaluateCheck(evidence([]))).toMatchObject({ outcome: 'pass', instanceState: 'recoverable', untested: [] });
    expect(evaluateCheck(evidence([], { recovered: false })).instanceState).toBe('clean');
    const open = evaluateCheck(evidence([['a.plain', 'warning', "1 client is using or hasn't closed the table properly"]]));
    expect(open).toMatchObject({ outcome: 'pass', findings: [{ severity: 'info' }] });
    expect(evaluateCheck(evidence([['a.old', 'error', 'Table rebuild required. Please do "ALTER TABLE `old` FORCE" or dump/reload to fix it!']])).outcome).toBe(
      'pass',
    );
  });

  it.each([
    [['a.t', 'error', 'Corrupt']],
    [['a.t', 'status', 'Operation failed']],
    [['a.t', 'error', "Table 'a.t' doesn't exist in engine"]],
    [['a.t', 'error', "Incorrect key file for table 'plain'; try to repair it"]],
  ] as [[string, string, string]][])('fails %j', (line) => {
    expect(evaluateCheck(evidence([line]))).toMatchObject({ outcome: 'fail', instanceState: 'damaged', findings: [{ where: { table: 'a.t' } }] });
  });

  it('leaves a table without a log that was being written undecided: neither damage nor a pass', () => {
    const rows: [string, string, string][] = [
      ['a.plain', 'warning', "1 client is using or hasn't closed the table properly"],
      ['a.plain', 'error', "Record at:     243364  Can't find key for index:  1"],
      ['a.plain', 'error', 'Corrupt'],
    ];
    expect(evaluateCheck(evidence(rows))).toMatchObject({ outcome: 'pass', untested: [{ what: 'table a.plain', holdsData: true }] });
  });

  it('fails for what the server says while it reads, although every table answered OK', () => {
    expect(evaluateCheck(evidence([], { complaints: ['[ERROR] InnoDB: Database page corruption'] })).outcome).toBe('fail');
  });

  it('lists what this server cannot check as untested: with data where its engine is not here', () => {
    const foreign = evaluateCheck(
      evidence([
        ['a.r', 'error', "Unknown storage engine 'ROCKSDB'"],
        ['a.r', 'status', 'Operation failed'],
      ]),
    );
    expect(foreign).toMatchObject({ outcome: 'pass', untested: [{ what: 'table a.r', holdsData: true }] });
    expect(evaluateCheck(evidence([['a.m', 'note', "The storage engine for the table doesn't support check"]])).untested).toMatchObject([{ holdsData: false }]);
  });
});
