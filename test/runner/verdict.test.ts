import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldVerdict, type VerdictInput } from '../../src/runner/verdict.js';
import { anyInspection, checkResult, DATABASE, database, inspection, result, untestedItem, VOLUME, volume } from './arbitrary.js';

const anyInput: fc.Arbitrary<VerdictInput> = fc.record({
  checks: fc.array(checkResult, { maxLength: 8 }),
  inspection: anyInspection,
  declared: fc.constantFrom('application', 'unknown'),
  extraUntested: fc.array(untestedItem, { maxLength: 2 }),
});
const ORDER = ['failed', 'inconclusive', 'passed'];

const fold = (changes: Partial<VerdictInput>) =>
  foldVerdict({ checks: [result()], inspection: inspection(), declared: 'unknown', extraUntested: [], ...changes });

describe('the rules of truth, for any input', () => {
  it('never passes when a required check failed or could not run', () => {
    fc.assert(
      fc.property(anyInput, fc.constantFrom('fail', 'error' as const), fc.nat(), (input, outcome, at) => {
        const checks = [...input.checks];
        checks.splice(at % (checks.length + 1), 0, result({ outcome }));
        const { verdict } = foldVerdict({ ...input, checks });
        expect(verdict).not.toBe('passed');
        if (outcome === 'fail') expect(verdict).toBe('failed');
      }),
    );
  });
  it('passes only if every required check passed, something was judged, and nothing that holds data is untested', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const { verdict, coverage } = foldVerdict(input);
        const clean = input.checks.every((check) => !check.required || check.outcome === 'pass' || check.outcome === 'skip');
        const judged = input.checks.some((check) => check.outcome === 'pass' || check.outcome === 'fail');
        expect(verdict === 'passed').toBe(clean && judged && !coverage.untested.some((item) => item.holdsData));
      }),
    );
  });
  it('is never improved by something with data that was not tested', () => {
    fc.assert(
      fc.property(anyInput, untestedItem, (input, item) => {
        const before = foldVerdict(input).verdict;
        const after = foldVerdict({ ...input, extraUntested: [...input.extraUntested, { ...item, holdsData: true }] }).verdict;
        expect(ORDER.indexOf(after)).toBeLessThanOrEqual(ORDER.indexOf(before));
        expect(after).not.toBe('passed');
      }),
    );
  });
  it('keeps everything that anybody listed as untested', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const listed = foldVerdict(input).coverage.untested.map(({ what, why }) => `${what}|${why}`);
        const told = [...input.extraUntested, ...(input.inspection?.untested ?? []), ...input.checks.flatMap((check) => check.untested)];
        expect(listed).toEqual(expect.arrayContaining(told.map(({ what, why }) => `${what}|${why}`)));
      }),
    );
  });
  it('does not depend on the order of the checks', () => {
    const shuffled = anyInput.chain((input) =>
      fc.record({ input: fc.constant(input), checks: fc.shuffledSubarray(input.checks, { minLength: input.checks.length }) }),
    );
    fc.assert(
      fc.property(shuffled, ({ input, checks }) => {
        const a = foldVerdict(input);
        const b = foldVerdict({ ...input, checks });
        expect([b.verdict, b.reasons, b.consistency, b.recovery]).toEqual([a.verdict, a.reasons, a.consistency, a.recovery]);
      }),
    );
  });
  it('always says why, and nothing twice', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const { reasons } = foldVerdict(input);
        expect(reasons.length).toBeGreaterThan(0);
        expect(new Set(reasons).size).toBe(reasons.length);
      }),
    );
  });
  it('observes nothing better than the weakest contribution, and none when a required check of a volume failed', () => {
    const rank = ['none', 'crash', 'filesystem', 'application'];
    fc.assert(
      fc.property(anyInput, (input) => {
        const { observed } = foldVerdict(input).consistency;
        const levels = input.checks.filter((check) => check.outcome === 'pass').flatMap((check) => check.consistency?.level ?? []);
        const telling = levels.filter((level) => level !== 'unknown' && level !== 'filesystem');
        for (const level of telling) expect(rank.indexOf(observed)).toBeLessThanOrEqual(rank.indexOf(level));
        if (input.inspection && input.checks.some((check) => check.required && check.outcome === 'fail' && check.target === VOLUME))
          expect(observed).toBe('none');
      }),
    );
  });
});

describe('coverage', () => {
  it('is inconclusive when nothing was tested at all', () => {
    expect(fold({ checks: [] }).verdict).toBe('inconclusive');
    expect(fold({ checks: [result({ outcome: 'skip' })] }).verdict).toBe('inconclusive');
  });
  it('is inconclusive when the disks could not be inspected, but a failure stays a failure', () => {
    expect(fold({ inspection: null })).toMatchObject({ verdict: 'inconclusive', coverage: { untested: [{ why: 'the disks could not be inspected' }] } });
    expect(fold({ inspection: null, checks: [result({ outcome: 'fail' })] }).verdict).toBe('failed');
  });
  it('finds volumes and databases that no check looked at and nobody listed', () => {
    const seen = inspection({ volumes: [volume(VOLUME, 'clean'), volume('disk0/p12', 'clean')], databases: [database(DATABASE)] });
    const { verdict, coverage } = fold({ inspection: seen });
    expect(verdict).toBe('inconclusive');
    expect(coverage.untested.map(({ what }) => what)).toEqual(['ext4 file system on disk0/p12', `database ${DATABASE}`]);
  });
  it('does not take a look at the image for a look at the file system on the whole disk', () => {
    const seen = inspection({ volumes: [volume('disk0', 'clean')] });
    const image = result({ id: 'image/structure', target: 'disk0' });
    expect(fold({ checks: [image], inspection: seen }).verdict).toBe('inconclusive');
    expect(fold({ checks: [image, result({ id: 'filesystem/consistency', target: 'disk0' })], inspection: seen }).verdict).toBe('passed');
  });
  it('does not take a longer name for a shorter one', () => {
    const seen = inspection({ volumes: [volume(VOLUME, 'clean')] });
    const listed = { what: 'file system on disk0/p12', why: 'unknown', holdsData: true };
    expect(fold({ checks: [result({ target: 'x' })], inspection: seen, extraUntested: [listed] }).coverage.untested).toHaveLength(2);
    const same = { what: `file system on ${VOLUME}`, why: 'unknown', holdsData: true };
    expect(fold({ checks: [result({ target: 'x' })], inspection: seen, extraUntested: [same] }).coverage.untested).toHaveLength(1);
  });
  it('counts swap and boot code as no data, unrecognised bytes as data', () => {
    const swap = { ...volume('disk0/p2', null), content: { kind: 'swap' as const, uuid: null, hibernated: false } };
    const strange = { ...volume('disk0/p3', null), content: { kind: 'unknown' as const, firstBytesHex: 'ff' } };
    expect(fold({ inspection: inspection({ volumes: [swap] }) }).verdict).toBe('passed');
    expect(fold({ inspection: inspection({ volumes: [swap, strange] }) }).verdict).toBe('inconclusive');
  });
  it('lists an engine that no check judges', () => {
    const seen = inspection({ unjudged: [{ engine: 'oracle', location: { volume: VOLUME, path: '/u01' } }] });
    expect(fold({ inspection: seen })).toMatchObject({ verdict: 'inconclusive', reasons: [expect.stringContaining('oracle database in disk0/p1:/u01')] });
  });
  it('an optional check that could not run is untested, and does not block', () => {
    const { verdict, coverage } = fold({ checks: [result(), result({ id: 'a/two', outcome: 'error', required: false, summary: 'the tool is missing' })] });
    expect(verdict).toBe('passed');
    expect(coverage.untested).toEqual([{ what: `a/two on ${VOLUME}`, why: 'the tool is missing', holdsData: false }]);
  });
});

describe('consistency', () => {
  const shutDown = result({ target: DATABASE, consistency: { level: 'application', why: 'it was shut down' } });
  const seen = (state: 'quiesced' | 'needs-replay') => inspection({ volumes: [volume(VOLUME, state)], databases: [database(DATABASE)] });

  it.each([
    ['clean', 'filesystem'],
    ['frozen', 'filesystem'],
    ['quiesced', 'filesystem'],
    ['needs-replay', 'crash'],
    ['damaged', 'none'],
    ['unknown', 'unknown'],
  ] as const)('a volume that is %s counts as %s', (state, level) => {
    expect(fold({ inspection: inspection({ volumes: [volume(VOLUME, state)] }) }).consistency.observed).toBe(level);
  });
  it('is application when every database was shut down on quiet file systems', () => {
    expect(fold({ checks: [result(), shutDown], inspection: seen('quiesced') }).consistency.observed).toBe('application');
  });
  it('is not application when a file system needs its log, a database was running, or one was not seen', () => {
    expect(fold({ checks: [result(), shutDown], inspection: seen('needs-replay') }).consistency.observed).toBe('crash');
    const running = result({ target: 'other', consistency: { level: 'crash', why: 'it was running' } });
    expect(fold({ checks: [result(), shutDown, running], inspection: seen('quiesced') }).consistency.observed).toBe('crash');
    const two = inspection({ volumes: [volume(VOLUME, 'clean')], databases: [database(DATABASE), database('other')] });
    expect(fold({ checks: [result(), shutDown], inspection: two }).consistency.observed).toBe('filesystem');
  });
  it('is filesystem when the file systems were frozen under running databases, which need their logs', () => {
    const running = result({ target: DATABASE, consistency: { level: 'filesystem', why: 'it needs its log replayed' } });
    expect(fold({ checks: [result(), running], inspection: seen('quiesced') }).consistency.observed).toBe('filesystem');
    expect(fold({ checks: [result(), running], inspection: seen('needs-replay') }).consistency.observed).toBe('crash');
  });
  it('says first what decides', () => {
    const { why } = fold({ checks: [result(), shutDown], inspection: seen('needs-replay') }).consistency;
    expect(why).toEqual([`${VOLUME}: the volume is needs-replay`, 'it was shut down']);
  });
  it('is none when a database or an image fails a required check, not when an optional one does', () => {
    expect(fold({ checks: [result({ target: DATABASE, outcome: 'fail' })], inspection: seen('quiesced') }).consistency.observed).toBe('none');
    expect(fold({ checks: [result({ target: 'disk0', outcome: 'fail' })], inspection: null }).consistency.observed).toBe('none');
    expect(fold({ checks: [result({ target: DATABASE, outcome: 'fail', required: false })], inspection: seen('quiesced') }).consistency.observed).toBe(
      'filesystem',
    );
  });
});

describe('recovery effort', () => {
  it('is summed over targets; an estimate and a measurement of one target count once', () => {
    const effort = (target: string, seconds: number | null, bytes: number) => result({ target, recovery: { needed: true, seconds, bytes } });
    const { recovery } = fold({ checks: [effort(VOLUME, 0.1, 10), effort(DATABASE, null, 100), effort(DATABASE, 0.2, 80)] });
    expect(recovery).toEqual({ needed: true, seconds: 0.3, bytes: 110 });
  });
  it('is not needed when nobody needs it', () => {
    expect(fold({ checks: [result({ recovery: { needed: false, seconds: 3, bytes: 9 } })] }).recovery).toEqual({ needed: false, seconds: 0, bytes: 0 });
  });
});

describe('reasons', () => {
  it('puts required failures with critical findings first, then errors, then what was not tested', () => {
    const critical = result({ target: 'disk1', outcome: 'fail', summary: 'Torn.', findings: [{ code: 'x', severity: 'critical', message: 'm', where: {} }] });
    const fails = result({ target: 'disk0', outcome: 'fail', summary: 'Odd.' });
    const errors = result({ id: 'b/one', target: 'disk0', outcome: 'error', summary: 'It took too long.' });
    const { reasons } = fold({ checks: [errors, fails, critical], extraUntested: [{ what: 'disk9', why: 'it is encrypted', holdsData: true }] });
    expect(reasons).toEqual(['disk1: Torn.', 'disk0: Odd.', 'disk0: b/one could not run: It took too long.', 'Not tested: disk9, because it is encrypted.']);
  });
  it('says of an optional failure that the policy does not require it', () => {
    expect(fold({ checks: [result(), result({ outcome: 'fail', required: false, summary: 'Odd.' })] })).toMatchObject({
      verdict: 'passed',
      reasons: ['The one check that applies and is required passed.', `${VOLUME}: Odd. (The policy does not require this check.)`],
    });
  });
});
