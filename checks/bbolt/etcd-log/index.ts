/** Check `bbolt/etcd-log`: see README.md beside this file. */
import { judgeProblems, Problems } from '../../../src/bytes/problems.js';
import { type CheckTarget, defineStaticCheck, instanceOf } from '../../../src/check.js';
import type { Judgement } from '../../../src/types.js';
import { count } from '../../../src/words.js';
import { notBolt } from '../applies.js';
import { judgeEtcd } from './judge.js';
import { type EtcdEvidence, scanEtcd } from './scan.js';

export default defineStaticCheck<EtcdEvidence>({
  id: 'bbolt/etcd-log',
  title: 'The log of the etcd member is whole, and store, log and snapshots are of one instant',
  failureTitle: 'The log of the etcd member is damaged, or store, log and snapshots are of different instants',
  description:
    'Follows the checksums of the write-ahead log through all its files to the true end, verifies the snapshots, and compares the raft indexes of store, log and snapshots.',
  timeoutMs: 30 * 60_000,
  skipReason,
  collect: scanEtcd,
  evaluate: judge,
});

function skipReason(target: CheckTarget): string | null {
  return notBolt(target) ?? (instanceOf(target).engine === 'etcd' ? null : 'this bbolt store does not belong to etcd');
}

function judge(evidence: EtcdEvidence): Judgement {
  const { folder, wal, state, consistentIndex, more } = evidence;
  const problems = new Problems();
  judgeEtcd(evidence, problems);
  const untested = wal
    .filter(({ end }) => end === null)
    .map(({ path }) => ({ what: `etcd log ${path}`, why: 'it could not be read as a file', holdsData: true }));
  if (more > 0) untested.push({ what: `${more} older files of the etcd log in ${folder}`, why: 'only the newest 1000 are read', holdsData: true });
  if (!evidence.hasWalFolder) {
    untested.push({
      what: `log of etcd in ${folder}`,
      why: 'it does not lie beside the store (--wal-dir, or another disk), and where it lies is not known',
      holdsData: true,
    });
  }
  if (consistentIndex === null)
    untested.push({
      what: `whether store and log in ${folder} are of one instant`,
      why: 'the store does not say up to which index it holds the data',
      holdsData: true,
    });
  const replay = Math.max(0, (state.lastIndex ?? 0) - (consistentIndex ?? 0));
  const bytes = wal.reduce((sum, { end }) => sum + (end?.at ?? 0), 0);
  return judgeProblems({
    reports: [problems.report()],
    soundState: 'recoverable',
    passSummary: `The log of etcd in ${folder} is whole up to entry ${state.lastIndex ?? 0}; the store holds the data up to ${consistentIndex ?? 'an unknown entry'}.`,
    what: `etcd in ${folder}`,
    advice:
      'Do not start this member from this restore point. Use an earlier one that passed, or a snapshot that "etcdctl snapshot save" made; a member of a larger cluster can be replaced by a new one.',
    consistency: { level: 'crash', why: `etcd in ${folder} replays its log when it starts` },
    recovery: { needed: replay > 0, seconds: replay > 0 ? null : 0, bytes: replay > 0 ? bytes : 0 },
    tested: [
      {
        what: `etcd log in ${folder}`,
        how: `verified the checksums of ${count(state.records, 'record')} in ${count(wal.length, 'file')} (${bytes} bytes) and of ${count(evidence.snapshots.length, 'snapshot')}; compared raft indexes`,
      },
    ],
    untested,
  });
}
