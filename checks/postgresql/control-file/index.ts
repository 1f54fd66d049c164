import { defineStaticCheck } from '../../../src/check.js';
import type { Finding, Judgement } from '../../../src/types.js';
import type { ClusterHead } from '../control.js';
import type { ControlFile } from '../format/control.js';
import { formatLsn } from '../format/lsn.js';
import { soundState, wasShutDown } from '../state.js';
import { clusterHead } from '../static-pass.js';
import { CONTROL_ADVICE, finding, notPostgres, trustedControl } from '../words.js';

const HOW = 'CRC-32C of global/pg_control, and its fields against each other';

export default defineStaticCheck<ClusterHead>({
  id: 'postgresql/control-file',
  title: 'The control file is intact and names a place to recover from',
  failureTitle: 'The control file is damaged',
  description: 'Reads global/pg_control and verifies its CRC: it says in which state the cluster was captured and where recovery starts.',
  timeoutMs: 60_000,
  skipReason: notPostgres,
  collect: clusterHead,
  evaluate: evaluateHead,
});

export function evaluateHead(head: ClusterHead): Judgement {
  const trusted = trustedControl(head, 'the control file');
  if ('judgement' in trusted) return trusted.judgement;
  const { control } = trusted;
  const findings = headFindings(head, control);
  const failed = findings.some((item) => item.severity === 'critical');
  return {
    outcome: failed ? 'fail' : 'pass',
    summary: failed ? 'The cluster names no place to recover from.' : `The control file is intact: the cluster was ${control.state}.`,
    findings,
    ...(failed ? { advice: CONTROL_ADVICE } : {}),
    consistency: headConsistency(head, control),
    instanceState: failed ? 'damaged' : soundState(head),
    tested: [{ what: 'the control file', how: HOW }],
    untested: [],
  };
}

function headConsistency(head: ClusterHead, control: ControlFile): NonNullable<Judgement['consistency']> {
  if (wasShutDown(head, control)) return { level: 'application', why: 'PostgreSQL was shut down cleanly when the snapshot was taken' };
  return { level: 'filesystem', why: `PostgreSQL was ${control.state}: it needs its log replayed` };
}

function headFindings(head: ClusterHead, control: ControlFile): Finding[] {
  const where = { checkpoint: formatLsn(control.checkpoint), redo: formatLsn(control.redo), timeline: control.timeline };
  const findings = [
    finding('control.state', 'info', `The cluster was ${control.state}. Recovery starts at ${where.redo} on timeline ${where.timeline}.`, where),
  ];
  if (control.redo > control.checkpoint || control.redo === 0) {
    findings.push(finding('control.redo', 'critical', 'The control file says that recovery starts after its own checkpoint: it contradicts itself.', where));
  }
  if (head.backupLabelProblem) findings.push(finding('control.backup-label', 'critical', `The server will not start: ${head.backupLabelProblem}.`));
  if (head.backupLabel) {
    const redo = formatLsn(head.backupLabel.redo);
    findings.push(finding('control.backup', 'warning', `A backup was running or is being restored: recovery starts at ${redo}, from backup_label.`, { redo }));
  }
  if (head.standby) findings.push(finding('control.standby', 'info', 'This cluster is a standby of another server.'));
  if (head.fsyncOff) {
    findings.push(
      finding('control.fsync-off', 'warning', 'fsync is off: after a crash this server may lose or mix data whatever the log says. Set fsync = on.'),
    );
  }
  if (!control.fullPageWrites) {
    findings.push(finding('control.full-page-writes', 'warning', 'full_page_writes is off: pages torn by the capture cannot be repaired by the log.'));
  }
  return findings;
}
