import { describe, expect, it } from 'vitest';
import check, { type CheckEvidence, complete, evaluateCheck } from './index.js';

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

  it('counts what the time was too short for as untested, and what came before as judged', () => {
    const late = evaluateCheck(complete(evidence([], { tables: 5000, sound: 40, timedOut: true, seconds: 3600 })));
    expect(late.tested[0]?.how).toContain('on 40 tables');
    expect(late).toMatchObject({ outcome: 'pass', untested: [{ what: '4960 tables of 5000', why: expect.stringContaining('3600 s'), holdsData: true }] });
    expect(() => complete(evidence([], { tables: 5000, sound: 0, timedOut: true }))).toThrow(/in time/);
    expect(evaluateCheck(complete(evidence([['a.t', 'error', 'Corrupt']], { tables: 5000, sound: 40, timedOut: true }))).outcome).toBe('fail');
  });

  it('says how many tables complain that it does not show', () => {
    const busy: [string, string, string][] = Array.from(
      { length: 100 },
      (_, i) =>
        [
          [`a.t${i}`, 'warning', "1 client is using or hasn't closed the table properly"],
          [`a.t${i}`, 'error', 'Corrupt'],
        ] as [string, string, string][],
    ).flat();
    const judged = evaluateCheck(complete(evidence(busy, { tables: 900, sound: 400, complained: 500, unsupported: 0 })));
    expect(judged.outcome).toBe('pass');
    expect(judged.untested[0]).toMatchObject({ what: '400 further tables', holdsData: true });
    expect(judged.untested.at(-1)).toMatchObject({ what: '80 further tables', holdsData: true });
    expect(JSON.stringify(judged).length).toBeLessThan(20_000);
  });

  it('takes the word of engines without a checker for an answer', () => {
    const memory = evidence([['a.m', 'note', "The storage engine for the table doesn't support check"]], {
      tables: 36,
      sound: 35,
      complained: 0,
      unsupported: 1,
    });
    expect(complete(memory)).toBe(memory);
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
