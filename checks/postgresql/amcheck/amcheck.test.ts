import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AmcheckRun } from '../engine/parse.js';
import check, { evaluateAmcheck, usable } from './index.js';

const run = (code: number, text: string, changes: Partial<AmcheckRun> = {}): AmcheckRun => {
  const lines = text === '' ? [] : text.split('\n');
  return { code, seconds: 2, lineCount: lines.length, lines, closedDatabases: 0, recovered: true, foreignOrder: false, ...changes };
};

/** As pg_amcheck 15 prints them. */
const HEAP = 'heap table "postgres.public.t":\n    ERROR:  invalid page in block 1 of relation base/5/16384';
const ROW = 'heap table "postgres.public.t", block 0, offset 5, attribute 2:\n    attribute with length -1 ends at offset 93 beyond total tuple length 90';
const INDEX = `btree index "postgres.public.t_pkey":
    ERROR:  could not find tuple using search from root page in index "t_pkey"
    DETAIL:  Index tid=(1,51) points to heap tid=(0,50) page lsn=0/478F118.`;
const EXPRESSION = `btree index "postgres.public.te":
    ERROR:  relation "lookup" does not exist
    LINE 1: SELECT 1 from lookup
                          ^
    QUERY:  SELECT 1 from lookup
    CONTEXT:  PL/pgSQL function public.f(integer) line 1 at PERFORM`;
const NOTICE = 'NOTICE:  extension "amcheck" already exists, skipping';
const CATALOGUE =
  'pg_amcheck: error: connection to server on socket "/run/snapproof/.s.PGSQL.5432" failed: FATAL:  invalid page in block 0 of relation base/1/1259';

describe(check.id, () => {
  it.each([
    ['a damaged table', run(2, HEAP)],
    ['a damaged row', run(2, ROW)],
    ['a damaged index', run(2, `${NOTICE}\n${INDEX}`)],
    ['damage behind an index that cannot be walked', run(2, `${EXPRESSION}\n${INDEX}`)],
    ['a catalogue that cannot be read, whatever the exit code', run(1, CATALOGUE)],
    ['damage named before the time was up', run(124, INDEX)],
    ['an exit code that tells of damage, with words nobody knows', run(2, 'eine Tabelle ist kaputt')],
    ['an exit code that tells of damage, without a word', run(2, '')],
  ])('fails on %s', (_name, amcheck) => {
    const judgement = evaluateAmcheck(usable(amcheck));
    expect(judgement.outcome).toBe('fail');
    expect(judgement.findings.length).toBeGreaterThan(0);
  });

  it.each([
    ['silence', run(0, '')],
    ['an extension that is there already', run(0, NOTICE)],
    [
      'a collation of another version',
      run(0, 'WARNING:  database "app" has a collation version mismatch\nDETAIL:  The database was created using 2.31.\nHINT:  Rebuild.'),
    ],
    ['a skipped database', run(0, 'pg_amcheck: warning: skipping database "app": amcheck is not installed')],
  ])('passes %s', (_name, amcheck) => {
    expect(evaluateAmcheck(usable(amcheck))).toMatchObject({ outcome: 'pass', findings: [] });
  });

  it('lists what could not be walked, and does not call it damage', () => {
    const judgement = evaluateAmcheck(usable(run(2, EXPRESSION)));
    expect(judgement).toMatchObject({ outcome: 'pass', untested: [{ what: 'btree index "postgres.public.te" after recovery', holdsData: false }] });
    const table = run(2, 'heap table "a.b.c":\n    ERROR:  canceling statement due to user request');
    expect(evaluateAmcheck(table).untested).toMatchObject([{ holdsData: true }]);
    expect(evaluateAmcheck(run(0, '', { closedDatabases: 2 })).untested[0]?.what).toContain('2 databases');
  });

  it('does not pass what was cut short', () => {
    expect(evaluateAmcheck(run(2, EXPRESSION, { lineCount: 500 })).untested.some((item) => item.holdsData)).toBe(true);
    expect(() => usable(run(124, ''))).toThrow(/in time/);
    expect(() => usable(run(1, 'pg_amcheck: error: query failed: server closed the connection unexpectedly'))).toThrow(/could not do its work/);
    expect(() => usable(run(1, 'pg_amcheck: error: query failed: ERROR:  could not open extension control file "amcheck.control"'))).toThrow(
      /no amcheck extension/,
    );
  });

  it('says of a skipped database that it was not walked', () => {
    const skipped = run(0, 'pg_amcheck: warning: skipping database "app": amcheck is not installed');
    expect(evaluateAmcheck(skipped).untested).toMatchObject([{ what: expect.stringContaining('app'), holdsData: true }]);
  });

  it('never throws', () => {
    const line = fc.oneof(fc.string(), fc.constantFrom('heap table "x":', '    ERROR:  ', 'pg_amcheck: error: ', 'btree index "'));
    fc.assert(fc.property(fc.integer({ min: 0, max: 255 }), fc.array(line), (code, lines) => void evaluateAmcheck(run(code, lines.join('\n')))));
  });

  it('says what the cluster is', () => {
    expect(evaluateAmcheck(run(0, '')).instanceState).toBe('recoverable');
    expect(evaluateAmcheck(run(0, '', { recovered: false })).instanceState).toBe('clean');
    expect(evaluateAmcheck(run(2, HEAP)).instanceState).toBe('damaged');
  });
});
