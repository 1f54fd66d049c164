import { describe, expect, it } from 'vitest';
import { clusterEvidence, type EvidenceChanges } from '../testing/evidence.js';
import check, { evaluateCatalogue } from './index.js';

const judge = (changes: EvidenceChanges['catalogue'] = {}) => evaluateCatalogue(clusterEvidence({ catalogue: changes }));
const one = <T>(example: T) => ({ count: 1, examples: [example] });
const file = { file: 'base/5/16384', relation: 'orders', database: 'shop' };
const short = { ...file, blocks: 3, needed: 9, by: 'the visibility map' as const };

describe(check.id, () => {
  it('passes when every relation has its files', () => {
    expect(judge()).toMatchObject({ outcome: 'pass', instanceState: 'recoverable', untested: [] });
  });

  it.each([
    ['a missing file', { missing: one(file) }, 'file-missing'],
    ['a short file', { short: one(short) }, 'file-short'],
    ['a missing database', { missingDatabases: one({ database: 'shop', folder: 'base/7' }) }, 'database-missing'],
    ['a damaged map', { damagedMaps: one('base/5/pg_filenode.map') }, 'map-damaged'],
  ])('fails on %s, and says where', (_name, changes, code) => {
    const { outcome, instanceState, findings, advice } = judge(changes);
    expect({ outcome, instanceState }).toEqual({ outcome: 'fail', instanceState: 'damaged' });
    expect(findings[0]).toMatchObject({ code: `postgresql.catalogue.${code}`, severity: 'critical' });
    expect(advice).toBeTruthy();
  });

  it.each([
    ['a file that the log may make whole', { remade: one(file) }],
    ['a file that may be short', { perhapsShort: one(short) }],
    ['rows of which nothing tells', { undecidedRows: 1 }],
    ['relations elsewhere', { elsewhere: 1 }],
    ['a database that could not be read', { skipped: one({ database: 'shop', why: 'x', holdsData: true }) }],
    ['a layout that is not known', { unread: 'x' }],
  ])('neither fails nor passes %s', (_name, changes) => {
    const { outcome, instanceState, untested } = judge(changes);
    expect({ outcome, instanceState }).toEqual({ outcome: 'pass', instanceState: 'unknown' });
    expect(untested.some((item) => item.holdsData)).toBe(true);
  });

  it('passes databases that were being made or removed, torn pages of catalogues and lost links of empty tablespaces', () => {
    const changes = { skipped: one({ database: 'shop', why: 'it was being removed', holdsData: false }), damagedPages: 1, missingLinks: one(16400) };
    expect(judge(changes)).toMatchObject({ outcome: 'pass', instanceState: 'recoverable' });
    expect(judge(changes).untested.every((item) => !item.holdsData)).toBe(true);
  });

  it('does not pass evidence of before it was there', () => {
    const { catalogue: _left, ...evidence } = clusterEvidence();
    expect(evaluateCatalogue(evidence).untested[0]?.holdsData).toBe(true);
  });
});
