/**
 * Metrics for the textfile collector of Prometheus' node exporter: text exposition format 0.0.4, without time stamps of our own.
 * Values that are not known have no sample.
 */
import type { JudgedStatus } from '../../gate/status.js';

type Labels = Record<string, string>;

interface Sample {
  labels: Labels;
  value: number;
}

const VERDICTS = ['passed', 'failed', 'inconclusive'] as const;

export function renderPrometheus(statuses: JudgedStatus[], ledgerEntries: number): string {
  return [
    gauge('snapproof_last_success_timestamp_seconds', 'When the verification of the newest proven restore point began.', statuses, ({ proven }) =>
      instant(proven?.at),
    ),
    gauge('snapproof_last_success_backup_timestamp_seconds', 'When the newest proven restore point was taken.', statuses, ({ proven }) =>
      instant(proven?.takenAt),
    ),
    gauge('snapproof_last_verification_timestamp_seconds', 'When the newest verification began, whatever came of it.', statuses, (one) =>
      instant(one.lastVerifiedAt),
    ),
    metric('snapproof_last_verification_verdict', 'Verdict of the newest verification: 1 for the one it is.', statuses.flatMap(verdictSamples)),
    metric('snapproof_restore_seconds', 'Measured time until the guest did its work, of the newest proven restore point.', statuses.flatMap(restoreSamples)),
    gauge(
      'snapproof_recovery_seconds',
      'Measured time of the replay of logs, of the newest proven restore point.',
      statuses,
      ({ proven }) => proven?.recoverySeconds,
    ),
    gauge('snapproof_recovery_bytes', 'Logs to replay on the way back, of the newest proven restore point.', statuses, ({ proven }) => proven?.recoveryBytes),
    metric('snapproof_machines', 'Machines of which there are records.', [{ labels: {}, value: statuses.length }]),
    metric('snapproof_ledger_entries', 'Entries in the ledger.', [{ labels: {}, value: ledgerEntries }]),
  ].join('');
}

function gauge(name: string, help: string, statuses: JudgedStatus[], value: (status: JudgedStatus) => number | null | undefined): string {
  const samples = statuses.map((status) => ({ labels: { machine: status.machine }, value: value(status) }));
  return metric(
    name,
    help,
    samples.flatMap((sample) => (typeof sample.value === 'number' && Number.isFinite(sample.value) ? [{ ...sample, value: sample.value }] : [])),
  );
}

function metric(name: string, help: string, samples: Sample[]): string {
  if (samples.length === 0) return '';
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${samples.map((sample) => `${name}${labelText(sample.labels)} ${sample.value}\n`).join('')}`;
}

function verdictSamples({ machine, lastVerdict }: JudgedStatus): Sample[] {
  return VERDICTS.map((verdict) => ({ labels: { machine, verdict }, value: Number(verdict === lastVerdict) }));
}

function restoreSamples({ machine, proven }: JudgedStatus): Sample[] {
  return Object.entries(proven?.restoreSeconds ?? {}).map(([way, value]) => ({ labels: { machine, way }, value }));
}

function instant(text: string | null | undefined): number | null {
  return text ? Date.parse(text) / 1000 : null;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** Backslash, quotation mark and line feed, as the format says; a carriage return would end a line for some readers. */
function escapeLabel(value: string): string {
  return value.replaceAll('\r', '').replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
