import { describe, expect, it } from 'vitest';
import type { InstanceState, Judgement } from '../../src/types.js';
import { evaluateCatalogue } from './catalogue/index.js';
import { parseBackupLabel } from './control.js';
import { evaluateHead } from './control-file/index.js';
import { evaluateReconciliation } from './log-versus-pages/index.js';
import { instanceState } from './log-versus-pages/instance-state.js';
import { evaluatePages } from './page-checksums/index.js';
import { shortSegments } from './pages/relation-facts.js';
import { clusterEvidence, type EvidenceChanges } from './testing/evidence.js';
import { evaluateStatus } from './transaction-status/index.js';
import { evaluateLog } from './wal-chain/index.js';

const backupLabel = { redo: 0x2000028, checkpoint: 0x2000060, timeline: 1, endRequired: true };

/** What is changed; the word for the instance; the checks that fail. */
const CASES: [string, EvidenceChanges, string, string[]][] = [
  ['a healthy hot copy', {}, 'recoverable', []],
  ['a clean shutdown', { control: { state: 'shut down' }, log: { records: 1 } }, 'clean', []],
  ['torn pages with full images', { kinds: { restored: 2 } }, 'recoverable', []],
  ['damaged maps', { kinds: { derived: 1 } }, 'recoverable', []],
  ['a damaged page', { kinds: { checksum: 1 } }, 'damaged', ['pages']],
  ['a damaged header', { kinds: { header: 1 } }, 'damaged', ['pages']],
  ['data newer than the log', { kinds: { newer: 883 } }, 'non-atomic', ['reconciliation']],
  ['data older than the log', { kinds: { stale: 883 } }, 'non-atomic', ['reconciliation']],
  ['a hole in the log', { log: { beyond: { first: 0x2200000, last: 0x2300000, records: 9 } } }, 'lost-tail', ['log']],
  ['no log at redo', { log: { records: 0 } }, 'non-atomic', ['log', 'reconciliation']],
  ['no log folder', { log: null }, 'damaged', ['log', 'reconciliation']],
  ['a checkpoint beyond the log', { control: { checkpoint: 0x2200000 } }, 'non-atomic', ['log']],
  ['log after a shutdown', { control: { state: 'shut down' }, log: { records: 2 } }, 'non-atomic', ['log']],
  ['a least recovery point beyond the log', { control: { minRecoveryPoint: 0x2200000 } }, 'non-atomic', ['log']],
  ['a redo behind the checkpoint', { control: { redo: 0x2000068 } }, 'damaged', ['control']],
  ['an unfinished backup', { head: { backupLabel } }, 'non-atomic', ['log']],
  ['a backup whose end is in the log', { head: { backupLabel }, log: { sawBackupEnd: true } }, 'recoverable', []],
  ['more blocks than can be held', { log: { overflowed: true } }, 'unknown', []],
  ['damage and more blocks than can be held', { log: { overflowed: true }, kinds: { checksum: 1 } }, 'unknown', []],
  ['an unreadable backup label', { head: { backupLabelProblem: 'backup_label names no start of the log' } }, 'damaged', ['control']],
  ['a control file of the future', { head: { control: { kind: 'unknown', why: 'it has version 2100' } } }, 'unknown', []],
  [
    'a damaged control file',
    { head: { control: { kind: 'damaged', why: 'its CRC is wrong' } } },
    'damaged',
    ['control', 'log', 'pages', 'reconciliation', 'catalogue', 'status'],
  ],
  ['a missing segment', { relations: { shortSegments: { count: 1, examples: [{ file: 'a', sizeBytes: 0, next: 'a.1' }] } } }, 'damaged', ['pages']],
  [
    'a file that the catalogue names and nobody has',
    { catalogue: { missing: { count: 1, examples: [{ file: 'base/5/7', relation: 'a', database: 'b' }] } } },
    'damaged',
    ['catalogue'],
  ],
  ['a lost segment of pg_xact', { status: { missing: { count: 1, examples: [{ file: 'pg_xact/0000', pages: 1, from: 3 }] } } }, 'damaged', ['status']],
];

/** As the record folds them: what one check sees never contradicts what all of them add up to. */
function worstOf(judgements: Judgement[]): string {
  const states = judgements.map((judgement) => judgement.instanceState ?? 'not set');
  return ['not set', 'damaged', 'non-atomic', 'lost-tail', 'unknown', 'recoverable', 'clean'].find((state) => states.includes(state as InstanceState)) ?? '';
}

describe('judgements', () => {
  it.each(CASES)('of %s', (_name, changes, word, failing) => {
    const evidence = clusterEvidence(changes);
    const judgements = {
      control: evaluateHead(evidence.head),
      log: evaluateLog(evidence),
      pages: evaluatePages(evidence),
      reconciliation: evaluateReconciliation(evidence),
      catalogue: evaluateCatalogue(evidence),
      status: evaluateStatus(evidence),
    };
    const failed = Object.entries(judgements).filter(([, judgement]) => judgement.outcome === 'fail');
    expect(failed.map(([name]) => name)).toEqual(failing);
    expect(instanceState(evidence).state).toBe(word);
    expect(worstOf(Object.values(judgements))).toBe(word);
    const codes = judgements.reconciliation.findings.map((item) => item.code);
    expect(codes).toContain(`postgresql.state.${word}`);
    for (const [, judgement] of failed) expect(judgement.advice ?? judgement.findings.length).toBeTruthy();
  });

  it('never call what was not tested a pass', () => {
    const untested = (changes: EvidenceChanges) => {
      const evidence = clusterEvidence(changes);
      return [evaluateReconciliation(evidence), evaluatePages(evidence), evaluateLog(evidence)].flatMap((judgement) => judgement.untested);
    };
    expect(untested({})).toEqual([]);
    expect(untested({ log: { overflowed: true } }).some((item) => item.holdsData)).toBe(true);
    expect(untested({ relations: { missingTablespaces: ['pg_tblspc/1 -> /x'] } }).some((item) => item.holdsData)).toBe(true);
    expect(untested({ relations: { unreadable: { count: 1, examples: ['base/5/1'] } } }).some((item) => item.holdsData)).toBe(true);
    expect(untested({ head: { control: { kind: 'unknown', why: 'x' } } }).some((item) => item.holdsData)).toBe(true);
    expect(untested({ control: { checksums: false } })).toMatchObject([{ what: 'bit rot inside pages', holdsData: false }]);
  });

  it('know no state of what they did not read', () => {
    const states = (changes: EvidenceChanges) => evaluatePages(clusterEvidence(changes)).instanceState;
    expect(states({})).toBe('recoverable');
    expect(states({ relations: { missingTablespaces: ['pg_tblspc/1 -> /x'] } })).toBe('unknown');
    expect(states({ relations: { unreadable: { count: 1, examples: ['base/5/1'] } } })).toBe('unknown');
    expect(states({ relations: { missingTablespaces: ['pg_tblspc/1 -> /x'] }, kinds: { checksum: 1 } })).toBe('damaged');
  });

  it('call a log that is torn open, with pages from beyond it, damaged', () => {
    const beyond = { first: 0x2200000, last: 0x2300000, records: 9 };
    expect(evaluateReconciliation(clusterEvidence({ log: { beyond }, kinds: { newer: 3 } })).instanceState).toBe('damaged');
  });

  it('say where and why in plain words', () => {
    const { summary } = evaluateReconciliation(clusterEvidence({ kinds: { newer: 883 } }));
    expect(summary).toContain('The data files are newer than the transaction log: 883 of 900 blocks');
    expect(summary).toContain('The disks of this backup were not captured at the same instant.');
  });
});

describe('backup label', () => {
  it('gives where recovery starts', () => {
    const text = 'START WAL LOCATION: 1/2000028 (file 000000030000000100000002)\nCHECKPOINT LOCATION: 1/2000060\nBACKUP METHOD: streamed\n';
    expect(parseBackupLabel(text)).toEqual({ redo: 0x102000028, checkpoint: 0x102000060, timeline: 3, endRequired: true });
    expect(parseBackupLabel('START WAL LOCATION: nonsense')).toBeNull();
  });
});

describe('segments of a relation', () => {
  const entry = (path: string, segment: number, sizeBytes: number) => ({
    ...{ path, segment, sizeBytes, location: { volume: 'v', path }, tablespace: 1663, database: 5, relation: 7, fork: 'main' as const, temporary: false },
  });

  it('must be full before the next begins', () => {
    expect(shortSegments([entry('b/7', 0, 1024), entry('b/7.1', 1, 10)], 1024).count).toBe(0);
    expect(shortSegments([entry('b/7', 0, 512), entry('b/7.1', 1, 10)], 1024).examples).toEqual([{ file: 'b/7', sizeBytes: 512, next: 'b/7.1' }]);
    expect(shortSegments([entry('b/7', 0, 512), entry('b/7.1', 1, 0)], 1024).count).toBe(0);
    expect(shortSegments([entry('b/7.1', 1, 10)], 1024).count).toBe(1);
  });
});
