/** Arbitrary results and inspections for property tests, with few targets so that they meet each other. */
import fc from 'fast-check';
import type { CheckResult, Inspection, UntestedItem, Volume } from '../../src/types.js';

export const VOLUME = 'disk0/p1';
export const DATABASE = 'sqlite disk0/p1:/a.db';

const level = fc.constantFrom('application', 'filesystem', 'crash', 'none', 'unknown' as const);
const words = fc.constantFrom('one', 'two', 'three');

export const untestedItem: fc.Arbitrary<UntestedItem> = fc.record({ what: words, why: words, holdsData: fc.boolean() });

export const checkResult: fc.Arbitrary<CheckResult> = fc.record({
  id: fc.constantFrom('a/one', 'a/two', 'b/one'),
  stage: fc.constantFrom('image', 'volume', 'static', 'logical', 'recovery' as const),
  target: fc.constantFrom(VOLUME, DATABASE, 'disk0', 'disk1'),
  outcome: fc.constantFrom('pass', 'pass', 'fail', 'skip', 'error' as const),
  summary: words,
  durationMs: fc.nat(1000),
  findings: fc.array(fc.record({ code: words, severity: fc.constantFrom('info', 'warning', 'critical' as const), message: words, where: fc.constant({}) }), {
    maxLength: 2,
  }),
  required: fc.boolean(),
  advice: words,
  consistency: fc.option(fc.record({ level, why: words })),
  recovery: fc.option(fc.record({ needed: fc.boolean(), seconds: fc.option(fc.double({ min: 0, max: 1000, noNaN: true })), bytes: fc.nat() })),
  way: fc.constant(null),
  instanceState: fc.option(fc.constantFrom('clean', 'recoverable', 'lost-tail', 'damaged', 'non-atomic', 'unknown' as const)),
  tested: fc.array(fc.record({ what: words, how: words }), { maxLength: 2 }),
  untested: fc.array(untestedItem, { maxLength: 1 }),
});

export function volume(id: string, state: NonNullable<Volume['captureState']>['state'] | null): Volume {
  return {
    id,
    device: '/dev/sda1',
    sizeBytes: 1024,
    placement: null,
    partition: null,
    content: { kind: 'filesystem', type: 'ext4', uuid: null, label: null },
    captureState: state && { state, why: `the volume is ${state}`, facts: {} },
  };
}

export function inspection(changes: Partial<Inspection> = {}): Inspection {
  return { tables: [], volumes: [], systems: [], databases: [], unjudged: [], findings: [], untested: [], ...changes };
}

export function database(id: string): Inspection['databases'][number] {
  return { id, engine: 'sqlite', version: null, location: { volume: VOLUME, path: '/a.db' }, links: [], facts: {} };
}

export const anyInspection: fc.Arbitrary<Inspection | null> = fc.option(
  fc
    .record({
      state: fc.constantFrom('clean', 'frozen', 'quiesced', 'needs-replay', 'damaged', 'unknown' as const, null),
      hasDatabase: fc.boolean(),
      untested: fc.array(untestedItem, { maxLength: 2 }),
    })
    .map(({ state, hasDatabase, untested }) => inspection({ volumes: [volume(VOLUME, state)], databases: hasDatabase ? [database(DATABASE)] : [], untested })),
);

export function result(changes: Partial<CheckResult> = {}): CheckResult {
  return {
    id: 'a/one',
    stage: 'volume',
    target: VOLUME,
    outcome: 'pass',
    summary: 'All is well.',
    durationMs: 5,
    findings: [],
    required: true,
    advice: '',
    consistency: null,
    recovery: null,
    instanceState: null,
    way: null,
    tested: [{ what: 'one', how: 'two' }],
    untested: [],
    ...changes,
  };
}
