/** The rules of etcd's start, applied to what was read of its log, its snapshots and its store. */
import type { Problem, Problems } from '../../../src/bytes/problems.js';
import type { EtcdEvidence } from './scan.js';

/** What one unsynchronised write may leave behind the end of the log. */
const UNSYNCED_BYTES = 1024 * 1024;

export function judgeEtcd(evidence: EtcdEvidence, problems: Problems): void {
  const { wal, folder } = evidence;
  if (!evidence.hasWalFolder) return;
  if (wal.length === 0) {
    problems.add({
      code: 'etcd.wal.missing',
      severity: 'critical',
      message: `There is no log in ${folder}/wal: etcd would begin anew, without the data.`,
      where: { file: `${folder}/wal` },
      state: 'non-atomic',
    });
    return;
  }
  for (const [i, file] of wal.entries()) {
    const before = wal[i - 1];
    if (before && file.sequence !== before.sequence + 1) {
      const message = `Between ${before.path} and ${file.path} a file of the log is missing: etcd does not start.`;
      problems.add({ code: 'etcd.wal.missing', severity: 'critical', message, where: { file: file.path }, state: 'non-atomic' });
    }
    judgeFile(file, i === wal.length - 1, problems);
  }
  const complete = wal.every(({ end }) => end !== null && end.kind !== 'broken');
  if (complete) compareIndexes(evidence, problems);
}

function judgeFile({ path, end, sizeBytes }: EtcdEvidence['wal'][number], isLast: boolean, problems: Problems): void {
  if (!end) return;
  const where = { file: path, offset: end.at };
  if (end.kind === 'broken' || (end.kind === 'torn' && !isLast)) {
    problems.damaged('etcd.wal.record', `${path} is damaged at byte ${end.at}: ${end.why}. etcd does not start.`, where);
  } else if (end.kind === 'torn') {
    const message = `The last record of ${path} was not written to its end (${end.why}). etcd cuts it off when it starts.`;
    problems.add({ code: 'etcd.wal.tail', severity: 'warning', message, where, state: 'lost-tail' });
  } else if (end.lastNonZero !== null) {
    judgeRest(path, end.at, end.lastNonZero, isLast, sizeBytes, problems);
  }
}

/** Files are made of zeroes in advance: what follows the end must be zero. */
function judgeRest(path: string, at: number, last: number, isLast: boolean, sizeBytes: number, problems: Problems): void {
  const hole = !isLast || last - at > UNSYNCED_BYTES;
  const message = `${path} ends at byte ${at}, and there is more behind it, up to byte ${last} of ${sizeBytes}: ${hole ? 'a part of the log is lost, and etcd drops what follows without a word' : 'a write that was not finished, or a lost part of the log'}.`;
  const problem: Omit<Problem, 'severity' | 'state'> = { code: 'etcd.wal.hole', message, where: { file: path, offset: at } };
  problems.add(hole ? { ...problem, severity: 'critical', state: 'damaged' } : { ...problem, severity: 'warning', state: 'lost-tail' });
}

/** Rules R1 and R2 by raft index: store, log and snapshots must be of one instant. */
function compareIndexes({ folder, state, snapshots, consistentIndex, wal }: EtcdEvidence, problems: Problems): void {
  const where = { file: folder };
  const skew = (code: string, message: string) => problems.add({ code, severity: 'critical', message, where, state: 'non-atomic' });
  const good = snapshots.filter((snapshot) => snapshot.good);
  // A snapshot counts only once the log names it.
  const known = Math.max(0, ...good.map(({ index }) => index).filter((index) => index <= state.snapshotIndex));
  const reach = Math.max(state.lastIndex ?? 0, known);
  for (const { path, index } of snapshots.filter((snapshot) => !snapshot.good)) {
    const message = `The snapshot ${path} is damaged. etcd uses an older one, as long as the log reaches back to it.`;
    problems.add({ code: 'etcd.snapshot', severity: index >= known ? 'critical' : 'warning', message, where: { file: path }, state: 'damaged' });
  }
  if (consistentIndex !== null && consistentIndex > reach) {
    skew(
      'etcd.store-newer',
      `The store in ${folder} holds changes up to ${consistentIndex}, and the log ends at ${reach}: the store is newer than its log, or the end of the log is lost.`,
    );
  }
  if (state.commit > reach)
    skew(
      'etcd.commit',
      `The log in ${folder} says that ${state.commit} is committed and holds entries up to ${reach} only: its end is lost, and etcd does not start.`,
    );
  if (consistentIndex !== null && known > consistentIndex) {
    skew(
      'etcd.store-older',
      `The store in ${folder} holds changes up to ${consistentIndex} only, and the snapshot is of ${known}: the store is older than its log.`,
    );
  }
  const first = wal[0]?.firstIndex ?? 0;
  if (first > known + 1)
    skew('etcd.snapshot', `The log in ${folder} begins at ${first}, and the newest snapshot is of ${known}: changes between them are missing.`);
}
