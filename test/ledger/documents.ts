/** One small document of each kind, for tests that do not care what it says. */
import type { DrillDocument, KeyDocument, SignOffDocument, TimestampDocument } from '../../src/documents.js';

export function sampleSignOff(id: string, about: string, changes: Partial<SignOffDocument> = {}): SignOffDocument {
  const decided = { reviewer: 'A. Reviewer', at: '2026-11-20T09:00:00.000Z', decision: 'accepted' as const, note: 'Looked at it.' };
  return { schema: 'snapproof.sign-off/v1', id, about, ...decided, ticket: null, correctiveAction: null, retest: null, ...changes };
}

export function sampleDrill(id: string, changes: Partial<DrillDocument> = {}): DrillDocument {
  return {
    schema: 'snapproof.drill/v1',
    id,
    name: 'nightly',
    policy: { path: '/etc/snapproof/nightly.yaml', sha256: 'd'.repeat(64) },
    startedAt: '2026-11-20T01:00:00.000Z',
    finishedAt: '2026-11-20T03:00:00.000Z',
    resumed: 0,
    deadlineAt: null,
    verdict: 'passed',
    reasons: ['All restore points that were chosen passed.'],
    items: [],
    overdue: [],
    controls: [],
    told: [],
    operator: 'timer',
    ...changes,
  };
}

export function sampleKey(id: string, changes: Partial<KeyDocument> = {}): KeyDocument {
  const publicKey = '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n';
  const at = '2026-11-20T00:00:00.000Z';
  return { schema: 'snapproof.key/v1', id, at, event: 'added', keyId: 'e'.repeat(64), publicKey, replacedBy: null, reason: 'First key.', ...changes };
}

export function sampleTimestamp(id: string, changes: Partial<TimestampDocument> = {}): TimestampDocument {
  const at = '2026-11-20T04:00:00.000Z';
  return { schema: 'snapproof.timestamp/v1', id, at, headSeq: 1, headHash: 'f'.repeat(64), token: 'MAA=', authority: 'CN=Test', genTime: at, ...changes };
}
