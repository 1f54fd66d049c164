/** Check `bbolt/structure`: see README.md beside this file. */
import { judgeProblems } from '../../../src/bytes/problems.js';
import { defineStaticCheck } from '../../../src/check.js';
import type { Judgement } from '../../../src/types.js';
import { count } from '../../../src/words.js';
import { notBolt, storeOf } from '../applies.js';
import { type StoreEvidence, scanStore } from './scan.js';

export default defineStaticCheck<StoreEvidence>({
  id: 'bbolt/structure',
  title: 'Every page that the newest transaction of the bbolt store reaches is in place and well-formed',
  failureTitle: 'Pages of the bbolt store (etcd and others) are damaged, missing or of another instant',
  description:
    'Verifies the checksums of the meta pages and walks all buckets and the list of free pages from the newest. Other pages of bbolt carry no checksum, so bytes inside values are not proven.',
  timeoutMs: 30 * 60_000,
  skipReason: notBolt,
  collect: (instance, context) => scanStore(storeOf(instance), context),
  evaluate: judge,
});

function judge(evidence: StoreEvidence): Judgement {
  const { path, walk, readable, transaction, pageBytes } = evidence;
  const bitRot = { what: `bit rot inside the values of ${path}`, why: 'pages of bbolt carry no checksum', holdsData: false };
  const free =
    walk?.freePages === null
      ? 'the list of free pages is not kept on disk'
      : `${count(walk?.freePages ?? 0, 'free page')}, ${walk?.lostPages} neither used nor free`;
  return judgeProblems({
    reports: [evidence.problems],
    soundState: 'clean',
    passSummary: walk
      ? `All ${walk.pages} pages that transaction ${transaction} of ${path} reaches are in place and well-formed (${count(walk.entries, 'entry', 'entries')}).`
      : `${path} was not looked at.`,
    what: `bbolt store ${path}`,
    advice:
      'Do not rely on this restore point for this store. Use an earlier restore point that passed; a member of a larger etcd cluster can be replaced by a new one.',
    ...(walk ? { consistency: { level: 'filesystem' as const, why: `${path} is complete as of its transaction ${transaction}` } } : {}),
    tested: walk
      ? [{ what: `bbolt store ${path}`, how: `walked ${count(walk.buckets, 'bucket')} over ${count(walk.pages, 'page')} of ${pageBytes} bytes; ${free}` }]
      : [],
    untested: readable ? [bitRot] : [{ what: `bbolt store ${path}`, why: 'it could not be read as a file', holdsData: true }],
  });
}
