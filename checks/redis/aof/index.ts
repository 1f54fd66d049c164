/** Check `redis/aof`: see README.md beside this file. */
import { judgeProblems, Problems } from '../../../src/bytes/problems.js';
import { type CheckTarget, defineStaticCheck, instanceOf } from '../../../src/check.js';
import type { CoverageItem, Judgement } from '../../../src/types.js';
import { count } from '../../../src/words.js';
import { notRedis } from '../applies.js';
import { type JudgedAof, judgeOrphans, judgeSet } from './judge.js';
import { type AofEvidence, type AofFile, scanAof } from './scan.js';

const ADVICE =
  'The server will not start with this append-only file. Use an earlier restore point that passed. "redis-check-aof --fix" cuts a damaged file off before the damage; every command behind it is lost then.';

export default defineStaticCheck<AofEvidence>({
  id: 'redis/aof',
  title: 'The append-only file of Redis or Valkey is complete up to its end',
  failureTitle: 'The append-only file of Redis or Valkey is damaged or incomplete: the server refuses to start',
  description:
    'Reads the manifest, the base file and every incremental file as the server does: every command by its own counts and lengths, RDB parts with their CRC-64. Only the last file may end early.',
  timeoutMs: 30 * 60_000,
  skipReason,
  collect: scanAof,
  evaluate: judge,
});

function skipReason(target: CheckTarget): string | null {
  const other = notRedis(target);
  if (other !== null) return other;
  const { facts } = instanceOf(target);
  return facts.appendOnlyFolder === null && facts.appendOnlyFile === null ? 'there is no append-only file' : null;
}

function judge(evidence: AofEvidence): Judgement {
  const judged: JudgedAof = { problems: new Problems(), untested: [], cutBytes: 0 };
  for (const set of evidence.sets) judgeSet(set, evidence, judged);
  judgeOrphans(evidence, judged);
  if (evidence.sets.length === 0 && !evidence.orphans)
    judged.untested.push({ what: `append-only file in ${evidence.folder}`, why: 'it was there when the guest was inspected, and is not now', holdsData: true });
  if (evidence.moreSets > 0)
    judged.untested.push({ what: `${evidence.moreSets} further append-only files in ${evidence.folder}`, why: 'a server has one manifest', holdsData: true });
  judged.untested.push(...bitRot(evidence));
  const files = evidence.sets.flatMap((set) => set.files);
  const bytes = files.reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
  const commands = files.reduce((sum, { facts }) => sum + (facts?.commands ?? 0), 0);
  const cut = judged.cutBytes > 0;
  return judgeProblems({
    reports: [judged.problems.report()],
    soundState: commands > 0 ? 'recoverable' : 'clean',
    passSummary: `The append-only file in ${evidence.folder} can be read ${cut ? `but for its last ${judged.cutBytes} bytes` : 'to its end'} (${count(commands, 'command')} in ${count(files.length, 'file')}).`,
    what: `Redis in ${evidence.folder}`,
    advice: ADVICE,
    consistency: { level: cut ? 'crash' : 'filesystem', why: `the append-only file in ${evidence.folder} ends ${cut ? 'inside' : 'behind'} a command` },
    recovery: { needed: commands > 0, seconds: commands > 0 ? null : 0, bytes: commands > 0 ? bytes : 0 },
    tested: files.flatMap(tested),
    untested: judged.untested,
  });
}

function bitRot({ sets, folder }: AofEvidence) {
  if (!sets.some(({ files }) => files.some(({ facts }) => (facts?.commands ?? 0) > 0))) return [];
  return [{ what: `bit rot inside the commands of the append-only file in ${folder}`, why: 'they carry no checksum', holdsData: false }];
}

function tested({ path, facts, rdb }: AofFile): CoverageItem[] {
  if (rdb) return [{ what: `append-only file ${path}`, how: `computed the CRC-64 of its ${rdb.sizeBytes} bytes` }];
  if (!facts) return [];
  const base = facts.rdb ? `followed ${count(facts.rdb.keys, 'key')} of its RDB part (CRC-64 ${facts.rdb.checksum}) and ` : 'followed ';
  return [{ what: `append-only file ${path}`, how: `${base}${count(facts.commands, 'command')} over ${facts.sizeBytes} bytes` }];
}
