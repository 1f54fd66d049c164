import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/ledger/canonical.js';
import { buildRunDocument, problemsOfRecord, problemsOfRun } from '../../src/ledger/index.js';
import { newRecordId } from '../../src/ledger/record.js';
import { foldVerdict } from '../../src/runner/verdict.js';
import { anyInspection, checkResult, result, untestedItem } from '../runner/arbitrary.js';
import { sampleRecord } from '../sample-record.js';

describe('canonical JSON (RFC 8785)', () => {
  it('gives the text of the example in section 3.2.2 and 3.2.3', () => {
    const value = {
      numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    };
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });
  it('sorts names by UTF-16 code units, as in the example of section 3.2.3', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
    expect(canonicalJson(value)).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}');
  });
  it('is one text whatever the order of members, and means the same', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(turned)).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
  it.each([[Number.NaN], [Number.POSITIVE_INFINITY], ['\ud800'], [{ '\udc00': 1 }], [1n], [() => 1]])('refuses %s', (value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError);
  });
  it('refuses a cycle', () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    expect(() => canonicalJson(cycle)).toThrow('cycle');
  });
});

describe('records', () => {
  it('any result makes a record that fits its schema and has a canonical form', () => {
    const strings = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(fc.array(checkResult, { maxLength: 4 }), anyInspection, fc.array(untestedItem), strings, (checks, inspection, extraUntested, name) => {
        const verdict = foldVerdict({ checks, inspection, declared: 'unknown', extraUntested });
        const record = sampleRecord('r1', {
          checks: [...checks, result({ summary: `${name}\ud800` })],
          inspection,
          verdict,
          environment: { [`${name}\udfff`]: Number.NaN },
        });
        expect(problemsOfRecord(record)).toEqual([]);
        expect(JSON.parse(canonicalJson(record))).toEqual(record);
      }),
      { numRuns: 30 },
    );
  });
  it('may hold additions', () => {
    const record = sampleRecord('r1');
    const [file] = record.restorePoint.files;
    expect(problemsOfRecord({ ...record, signedBy: 'x', restorePoint: { ...record.restorePoint, owner: 'y', files: [{ ...file, note: 'z' }] } })).toEqual([]);
  });
  it.each([
    ['verdict', 'ok', '/verdict must be equal to one of the allowed values'],
    ['schema', 'snapproof.record/v2', '/schema must be equal to constant'],
    ['startedAt', 'yesterday', '/startedAt must match format "date-time"'],
    ['coverage', { tested: [] }, "/coverage must have required property 'untested'"],
    ['checks', [{ id: 'nofamily' }], '/checks/0/id must match pattern "^[^/]+/[^/]+$"'],
  ])('do not fit when %s is %j', (name, value, problem) => {
    expect(problemsOfRecord({ ...sampleRecord('r1'), [name]: value })).toContain(problem);
  });
  it.each(['verdict', 'reasons', 'consistency', 'recovery', 'checks', 'cleanup', 'isolation'])('do not fit without %s', (name) => {
    const { [name]: _left, ...rest } = sampleRecord('r1') as unknown as Record<string, unknown>;
    expect(problemsOfRecord(rest)).toEqual([`/ must have required property '${name}'`]);
  });
  it('a clock set back gives no negative duration', () => {
    expect(sampleRecord('r1', { finishedAt: new Date('2026-11-19T00:00:00Z') }).durationMs).toBe(0);
  });
  it('ids tell the time and differ', () => {
    const at = new Date('2026-11-20T02:03:04.567Z');
    expect(newRecordId(at)).toMatch(/^20261120T020304Z-[0-9a-f]{8}$/);
    expect(newRecordId(at)).not.toBe(newRecordId(at));
  });
});

describe('the run document', () => {
  it('counts verdicts and fits its schema', () => {
    const failed = { ...sampleRecord('r2'), verdict: 'failed' as const };
    const run = buildRunDocument([sampleRecord('r1'), failed, sampleRecord('r3')]);
    expect(run.summary).toEqual({ passed: 2, failed: 1, inconclusive: 0 });
    expect(problemsOfRun(run)).toEqual([]);
    expect(problemsOfRun(buildRunDocument([]))).toEqual([]);
    expect(problemsOfRun({ ...run, records: [{}] })).toContain("/records/0 must have required property 'id'");
  });
});
