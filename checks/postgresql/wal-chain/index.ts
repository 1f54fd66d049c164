import { defineStaticCheck } from '../../../src/check.js';
import type { Finding, Judgement, UntestedItem } from '../../../src/types.js';
import { recoveryStart } from '../control.js';
import type { ControlFile } from '../format/control.js';
import { formatLsn } from '../format/lsn.js';
import { segmentName } from '../format/names.js';
import type { LogFacts } from '../log/walk.js';
import { brokenLogState, soundState, wasShutDown } from '../state.js';
import { clusterLog, type StaticEvidence } from '../static-pass.js';
import { count, finding, notPostgres, SKEW_ADVICE, trustedControl } from '../words.js';

export default defineStaticCheck<StaticEvidence>({
  id: 'postgresql/wal-chain',
  title: 'The write-ahead log is there and unbroken from where recovery starts to its end',
  failureTitle: 'The write-ahead log is missing, broken or of another instant',
  description: 'Follows every log record from the checkpoint on (links and CRC-32C), and looks for log that lies beyond a hole.',
  timeoutMs: 3_600_000,
  skipReason: notPostgres,
  collect: clusterLog,
  evaluate: evaluateLog,
});

export function evaluateLog(evidence: StaticEvidence): Judgement {
  const trusted = trustedControl(evidence.head, 'the write-ahead log');
  if ('judgement' in trusted) return trusted.judgement;
  const { control } = trusted;
  const log = evidence.wal?.log ?? null;
  if (!log) return logFolderMissing();
  const findings = [...inventoryFindings(evidence), ...logFindings(evidence, control, log)];
  const worst = findings.find((item) => item.severity === 'critical');
  const bytes = log.end - log.redo;
  const clean = wasShutDown(evidence.head, control);
  return {
    outcome: worst ? 'fail' : 'pass',
    summary: worst ? worst.message : clean ? 'The log ends with the shutdown: nothing to replay.' : `The log is unbroken: ${bytes} bytes to replay.`,
    findings,
    ...(worst ? { advice: SKEW_ADVICE } : {}),
    instanceState: worst ? brokenLogState(log, 0) : soundState(evidence.head),
    recovery: { needed: !clean, seconds: null, bytes: clean ? 0 : bytes },
    tested: [
      { what: 'the write-ahead log', how: `${count(log.records, 'record')} followed from ${formatLsn(log.redo)} to ${formatLsn(log.end)}, links and CRC-32C` },
    ],
    untested: unsearched(log),
  };
}

/** A hole was not found, and not all of the log behind the end was searched for one. */
function unsearched(log: LogFacts): UntestedItem[] {
  if (log.beyond || !log.beyondUnsearched) return [];
  return [
    { what: 'log beyond the end of the valid log', why: `there are ${log.beyondUnsearched} bytes more of it than are searched for a hole`, holdsData: true },
  ];
}

function logFolderMissing(): Judgement {
  const message = 'The folder of the write-ahead log (pg_wal) is not in this restore point: without it the data cannot be recovered.';
  return {
    outcome: 'fail',
    summary: message,
    findings: [finding('wal.folder-missing', 'critical', message, { file: 'pg_wal' })],
    advice: 'Include the disk that holds pg_wal in the backup of this machine.',
    instanceState: 'damaged',
    tested: [],
    untested: [{ what: 'the write-ahead log', why: 'pg_wal is not in the restore point', holdsData: true }],
  };
}

function inventoryFindings(evidence: StaticEvidence): Finding[] {
  const inventory = evidence.wal?.inventory;
  if (!inventory) return [];
  const findings: Finding[] = [];
  if (inventory.counts.otherCluster > 0) {
    const where = { files: inventory.otherCluster.join(' ') };
    findings.push(finding('wal.other-cluster', 'critical', `${count(inventory.counts.otherCluster, 'log segment')} belong to another cluster.`, where));
  }
  if (inventory.counts.short > 0) {
    const where = { files: inventory.short.join(' ') };
    findings.push(finding('wal.short-segment', 'warning', `${count(inventory.counts.short, 'log segment')} are shorter than they must be.`, where));
  }
  return findings;
}

function logFindings(evidence: StaticEvidence, control: ControlFile, log: LogFacts): Finding[] {
  const { checkpoint } = recoveryStart(evidence.head, control);
  const end = formatLsn(log.end);
  const where = { redo: formatLsn(log.redo), end, reason: log.stop };
  if (log.records === 0) return [redoMissing(control, log, where)];
  const findings: Finding[] = [];
  if (checkpoint >= log.end) {
    const message = `The log ends at ${end}, before the checkpoint ${formatLsn(checkpoint)} that the control file names: log and control file are of different instants.`;
    findings.push(finding('wal.checkpoint-missing', 'critical', message, where));
  }
  if (log.beyond) {
    const beyond = { ...where, beyondFirst: formatLsn(log.beyond.first), beyondLast: formatLsn(log.beyond.last) };
    const message = `The log has a hole at ${end}: ${count(log.beyond.records, 'intact record')} lie beyond it. What was committed there would be lost without a word.`;
    findings.push(finding('wal.hole', 'critical', message, beyond));
  }
  findings.push(...zeroedEnd(log, wasShutDown(evidence.head, control), where));
  findings.push(...pointsBeyond(evidence, control, log));
  if (log.contradictions > 0) {
    findings.push(
      finding('wal.contradiction', 'critical', `${count(log.contradictions, 'log record')} contradict themselves although their CRC is right.`, where),
    );
  }
  return findings;
}

/** After a shutdown the log is known to end where it does: what was behind it is of no use. */
function zeroedEnd({ zeroed }: LogFacts, shutDown: boolean, where: Finding['where']): Finding[] {
  if (!zeroed) return [];
  const from = formatLsn(zeroed.from);
  const loss = shutDown ? 'Nothing is lost, for the server was shut down.' : 'What was committed last is lost without a word.';
  const message = `The end of the log is overwritten: ${count(zeroed.pages, 'page')} from ${from} on hold only zeroes, with log behind them. ${loss}`;
  return [finding('wal.end-zeroed', shutDown ? 'warning' : 'critical', message, { ...where, from, pages: zeroed.pages })];
}

function redoMissing(control: ControlFile, log: LogFacts, where: Finding['where']): Finding {
  const name = segmentName(control.timeline, log.redo - (log.redo % control.walSegmentBytes), control.walSegmentBytes);
  const message =
    `Recovery must start at ${where.redo}, as the control file says, and the log holds no valid record there (segment ${name}: ${log.stop}). ` +
    'Log and data files were not captured at the same instant, or parts of the log were lost.';
  return finding('wal.redo-missing', 'critical', message, { ...where, file: `pg_wal/${name}` });
}

/** What the control file promises beyond the log's end, or what the log holds beyond a clean shutdown. */
function pointsBeyond(evidence: StaticEvidence, control: ControlFile, log: LogFacts): Finding[] {
  const findings: Finding[] = [];
  const end = formatLsn(log.end);
  if (control.minRecoveryPoint > log.end) {
    const least = formatLsn(control.minRecoveryPoint);
    findings.push(finding('wal.min-recovery', 'critical', `The data are consistent only from ${least} on, but the log ends at ${end}.`, { least, end }));
  }
  if (control.state === 'shut down' && !evidence.head.backupLabel && log.records > 1) {
    const message = `The control file says the server was shut down, but ${count(log.records - 1, 'log record')} follow: they are of different instants, and the server would throw this log away.`;
    findings.push(finding('wal.after-shutdown', 'critical', message, { end }));
  }
  const endRequired = evidence.head.backupLabel?.endRequired === true || (control.backupEndRequired && control.backupStart > 0);
  if (endRequired && !log.sawBackupEnd) {
    findings.push(finding('wal.backup-end', 'critical', `The log ends at ${end}, before the end of the backup that is being restored.`, { end }));
  }
  return findings;
}
