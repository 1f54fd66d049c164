/** What parts of a cluster make of its state. The words: InstanceState in src/types.ts. */
import type { InstanceState } from '../../src/types.js';
import { type ClusterHead, recoveryStart } from './control.js';
import type { ControlFile } from './format/control.js';
import type { LogFacts } from './log/walk.js';

/** Only a shut-down server's data need nothing of the log. */
export function wasShutDown(head: ClusterHead, control: ControlFile): boolean {
  return (control.state === 'shut down' || control.state === 'shut down in recovery') && head.backupLabel === null;
}

/** What a cluster is in which nothing wrong was seen. */
export function soundState(head: ClusterHead): InstanceState {
  if (head.control.kind !== 'ok') return head.control.kind;
  return wasShutDown(head, head.control.control) ? 'clean' : 'recoverable';
}

/**
 * What a broken log makes of a cluster. A hole with intact records beyond it, or zeroes instead of its end: the server would stop there,
 * consistent but older, unless pages (`newer` of them) already hold what was logged later. Without anything beyond, the log or the control file is of another instant.
 */
export function brokenLogState(log: LogFacts, newer: number): InstanceState {
  if (log.contradictions > 0) return 'damaged';
  if (log.beyond || log.zeroed) return newer === 0 ? 'lost-tail' : 'damaged';
  return 'non-atomic';
}

/** Whether the log went on from where it ends now. After a shutdown zeroes take nothing from it. */
export function isEndLost(head: ClusterHead, control: ControlFile, log: LogFacts): boolean {
  return log.beyond !== null || (Boolean(log.zeroed) && !wasShutDown(head, control));
}

/** Why the log does not tell what recovery makes of the files; null when it does. The check of the log itself says more of it. */
export function whyLogUntrusted(head: ClusterHead, control: ControlFile, log: LogFacts | null): string | null {
  if (!log || log.records === 0) return 'there is no readable log that would say what recovery makes and removes';
  if (isEndLost(head, control, log) || log.contradictions > 0) return 'the log is broken';
  if (recoveryStart(head, control).checkpoint >= log.end || control.minRecoveryPoint > log.end) return 'the log ends too early';
  const endRequired = head.backupLabel?.endRequired === true || (control.backupEndRequired && control.backupStart > 0);
  return endRequired && !log.sawBackupEnd ? 'the log ends before the backup does' : null;
}
