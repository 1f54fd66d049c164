/** What parts of a cluster make of its state. The words: InstanceState in src/types.ts. */
import type { InstanceState } from '../../src/types.js';
import type { ClusterHead } from './control.js';
import type { ControlFile } from './format/control.js';
import type { LogFacts } from './wal-walk.js';

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
 * What a broken log makes of a cluster. A hole with intact records beyond it: the server would stop at the hole, consistent but older, unless
 * pages (`newer` of them) already hold what lies beyond. Without anything beyond, the log or the control file is of another instant.
 */
export function brokenLogState(log: LogFacts, newer: number): InstanceState {
  if (log.contradictions > 0) return 'damaged';
  if (log.beyond) return newer === 0 ? 'lost-tail' : 'damaged';
  return 'non-atomic';
}
