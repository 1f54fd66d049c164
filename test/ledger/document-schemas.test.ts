import { describe, expect, it } from 'vitest';
import type { DrillItem } from '../../src/documents.js';
import { DOCUMENT_KINDS, documentSchema, problemsOfDocument } from '../../src/ledger/index.js';
import { sampleRecord } from '../sample-record.js';
import { sampleDrill, sampleKey, sampleSignOff, sampleTimestamp } from './documents.js';

const item: DrillItem = {
  machine: 'db1',
  restorePoint: 'db1-1',
  path: '/backup/db1',
  takenAt: null,
  depth: 'boot',
  state: 'not-reached',
  recordId: null,
  verdict: null,
  why: ['The deadline came first.'],
  selection: { how: 'random', seed: 's', population: 9, chosen: 3 },
  rto: { limitSeconds: 600, measuredSeconds: null, met: null },
  rpo: null,
};

const drill = sampleDrill('d1', {
  deadlineAt: '2026-11-20T06:00:00.000Z',
  items: [item],
  overdue: [{ machine: 'web1', lastProvenAt: null, dueEverySeconds: 86_400 }],
  controls: [{ name: 'truncated', damage: 'half of a disk', recordId: 'r1', verdict: 'failed', rejected: true, why: 'image.truncated' }],
  told: [{ channel: 'webhook', target: 'https://example.org/hook', ok: false, why: 'no answer within 10 s' }],
});

describe('documents of the ledger', () => {
  it('fit the schemas that are shipped with them', () => {
    const revoked = sampleKey('k2', { event: 'revoked', reason: 'lost' });
    for (const document of [
      sampleRecord('r1'),
      drill,
      sampleSignOff('s1', 'd1', { decision: 'rejected', retest: 'r2' }),
      sampleKey('k1'),
      revoked,
      sampleTimestamp('t1'),
    ])
      expect(problemsOfDocument(document)).toEqual([]);
  });
  it.each(DOCUMENT_KINDS)('have an own schema (%s) that demands each of its fields', (kind) => {
    const sample = { record: sampleRecord('r1'), drill, 'sign-off': sampleSignOff('s1', 'd1'), key: sampleKey('k1'), timestamp: sampleTimestamp('t1') }[kind];
    for (const name of documentSchema(kind).required.filter((required) => required !== 'schema')) {
      const { [name]: _left, ...rest } = sample as unknown as Record<string, unknown> & { schema: string };
      expect(problemsOfDocument({ ...rest, schema: sample.schema })).toEqual([`/ must have required property '${name}'`]);
    }
  });
  it.each([
    ['a verdict that drills do not have', { ...drill, verdict: 'ok' }, '/verdict must be equal to one of the allowed values'],
    ['an item without selection', { ...drill, items: [{ ...item, selection: null }] }, '/items/0/selection must be object'],
    ['a digest of another length', { ...sampleKey('k1'), keyId: 'abc' }, '/keyId must match pattern "^[0-9a-f]{64}$"'],
    ['an empty reviewer', sampleSignOff('s1', 'd1', { reviewer: '' }), '/reviewer must NOT have fewer than 1 characters'],
    ['a token that is no base64', sampleTimestamp('t1', { token: '?' }), '/token must match pattern "^[A-Za-z0-9+/]+={0,2}$"'],
    ['a schema of somebody else', { schema: 'other/v1' }, expect.stringContaining('/schema names no kind of document')],
  ])('do not fit with %s', (_what, document, problem) => {
    expect(problemsOfDocument(document)).toEqual([problem]);
  });
});
