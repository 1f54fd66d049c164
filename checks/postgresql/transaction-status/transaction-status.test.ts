import { describe, expect, it } from 'vitest';
import { clusterEvidence, type EvidenceChanges } from '../testing/evidence.js';
import check, { evaluateStatus } from './index.js';

const judge = (changes: EvidenceChanges['status'] = {}) => evaluateStatus(clusterEvidence({ status: changes }));
const one = <T>(example: T) => ({ count: 1, examples: [example] });

describe(check.id, () => {
  it('passes when all is there', () => {
    expect(judge()).toMatchObject({ outcome: 'pass', instanceState: 'recoverable', untested: [] });
  });

  it.each([
    ['a missing segment', { missing: one({ file: 'pg_xact/0001', pages: 32, from: 1048576 }) }, 'missing'],
    ['a commit that is lost', { lostCommits: one({ transaction: 900, file: 'pg_xact/0000' }) }, 'lost-commit'],
    ['a commit beyond the log', { beyondLog: one({ transaction: 1900, file: 'pg_xact/0000' }) }, 'beyond-log'],
    ['multixacts out of order', { disordered: one({ multixact: 7, offset: 3, before: 90 }) }, 'multixact-order'],
    ['a missing folder', { missingFolders: ['pg_subtrans'] }, 'folder-missing'],
  ])('fails on %s', (_name, changes, code) => {
    const { outcome, instanceState, findings } = judge(changes);
    expect({ outcome, instanceState }).toEqual({ outcome: 'fail', instanceState: 'damaged' });
    expect(findings[0]?.code).toBe(`postgresql.status.${code}`);
  });

  it('neither fails nor passes a blank page, nor what was not read', () => {
    for (const changes of [{ blank: one({ file: 'pg_xact/0001', page: 40, from: 1310720 }) }, { unread: 'the log is broken' }]) {
      expect(judge(changes)).toMatchObject({ outcome: 'pass', instanceState: 'unknown' });
      expect(judge(changes).untested[0]?.holdsData).toBe(true);
    }
  });
});
