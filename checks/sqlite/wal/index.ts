/** Check `sqlite/wal`: see README.md beside this file. */
import { defineCheck, instanceOf } from '../../../src/check.js';
import type { Consistency, CoverageItem, Finding, InstanceState, Judgement, RecoveryEffort, UntestedItem } from '../../../src/types.js';
import { count } from '../../../src/words.js';
import { notSqlite } from '../applies.js';
import { type StaticEvidence, staticPass } from '../static-pass.js';
import { journalFindings } from './judge-journal.js';
import { missingLogFindings, walFindings } from './judge-wal.js';

export interface WalOptions {
  /** What to make of a database in WAL mode without a log while the guest was running. */
  missingLog: 'warn' | 'fail';
}

const ADVICE =
  'Transactions of this database are lost or mixed up in this restore point. Check that all files of the database were captured at the same instant (file, -wal, -journal), and use an earlier restore point that passed.';

export default defineCheck<StaticEvidence, WalOptions>({
  id: 'sqlite/wal',
  title: 'The log of the SQLite database is whole and belongs to it',
  failureTitle: 'The log of the SQLite database is damaged, missing or of another instant',
  description:
    'Verifies salts and running checksums of the write-ahead log to its true end, looks for committed transactions behind a hole, compares the log with the database and the index beside it, and verifies a hot rollback journal.',
  stage: 'static',
  depth: 'static',
  targetKind: 'instance',
  lab: 'none',
  timeoutMs: 30 * 60_000,
  optionsSchema: { type: 'object', additionalProperties: false, properties: { missingLog: { enum: ['warn', 'fail'] } } },
  defaultOptions: { missingLog: 'warn' },
  skipReason: notSqlite,
  collect: (target, context) => staticPass(instanceOf(target), context),
  evaluate: judge,
});

function judge(evidence: StaticEvidence, options: WalOptions): Judgement {
  const findings = [...walFindings(evidence), ...missingLogFindings(evidence, options.missingLog), ...journalFindings(evidence)];
  const critical = findings.find(({ severity }) => severity === 'critical');
  const recovery = recoveryOf(evidence);
  const tested = testedOf(evidence);
  const untested = untestedOf(evidence);
  if (critical) {
    return {
      outcome: 'fail',
      summary: critical.message,
      findings,
      advice: ADVICE,
      consistency: { level: 'none', why: critical.message },
      recovery,
      instanceState: faultyState(findings, recovery),
      tested,
      untested,
    };
  }
  const consistency = consistencyOf(evidence, recovery);
  const instanceState = faultyState(findings, recovery);
  return { outcome: 'pass', summary: passSummary(evidence), findings, consistency, recovery, instanceState, tested, untested };
}

/** What each fault makes of the database; the worst first. Anything else that is critical is damage. */
const FAULT_STATES: { state: InstanceState; codes: string[] }[] = [
  { state: 'damaged', codes: ['sqlite.wal.no-database', 'sqlite.journal.hole'] },
  { state: 'non-atomic', codes: ['sqlite.wal.behind-database', 'sqlite.wal.older', 'sqlite.wal.newer', 'sqlite.wal.database-older'] },
  { state: 'lost-tail', codes: ['sqlite.wal.hole', 'sqlite.wal.header', 'sqlite.wal.missing', 'sqlite.wal.absent', 'sqlite.wal.tail-lost'] },
];

/** A log that is absent without a sign that it was in use is what a closed database looks like, and says nothing. */
function faultyState(findings: Finding[], recovery: RecoveryEffort): InstanceState {
  const faults = findings.filter(({ severity, code }) => severity === 'critical' || code === 'sqlite.wal.tail-lost').map(({ code }) => code);
  if (faults.length === 0) return recovery.needed ? 'recoverable' : 'clean';
  return FAULT_STATES.find(({ codes }) => faults.some((fault) => codes.includes(fault)))?.state ?? 'damaged';
}

function untestedOf({ path, wal }: StaticEvidence): UntestedItem[] {
  if (!wal || wal.unscannedBytes === 0) return [];
  const why = 'they lie more than 256 MiB behind its end, so no lost commits were looked for there';
  return [{ what: `the last ${wal.unscannedBytes} bytes of the write-ahead log of ${path}`, why, holdsData: false }];
}

function recoveryOf({ wal, journal }: StaticEvidence): RecoveryEffort {
  const fromWal = wal ? wal.committedFrames * wal.pageSize : 0;
  const fromJournal = journal?.rolledBack ? journal.replayBytes : 0;
  const needed = fromWal > 0 || journal?.rolledBack === true;
  return { needed, seconds: needed ? null : 0, bytes: fromWal + fromJournal };
}

function consistencyOf({ path }: StaticEvidence, recovery: RecoveryEffort): { level: Consistency; why: string } {
  if (!recovery.needed) return { level: 'application', why: `${path} has no log to replay` };
  return { level: 'filesystem', why: `${path} needs its log: ${recovery.bytes} bytes` };
}

function passSummary({ path, wal, journal }: StaticEvidence): string {
  if (journal?.rolledBack) return `${path} was inside a transaction; its rollback journal is whole and undoes it (${count(journal.records, 'page')}).`;
  if (wal && wal.committedFrames > 0)
    return `The write-ahead log of ${path} is whole: ${count(wal.commits, 'transaction')} in ${count(wal.committedFrames, 'frame')}.`;
  return `${path} needs no log.`;
}

function testedOf({ path, wal, journal }: StaticEvidence): CoverageItem[] {
  const items: CoverageItem[] = [];
  if (wal)
    items.push({ what: `write-ahead log of ${path}`, how: `verified salts and checksums of ${wal.chainedFrames} of ${wal.frames} frames, up to the true end` });
  if (journal) items.push({ what: `rollback journal of ${path}`, how: `verified ${journal.records} of ${journal.promisedRecords} page records` });
  return items;
}
