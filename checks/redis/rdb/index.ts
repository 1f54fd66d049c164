/** Check `redis/rdb`: see README.md beside this file. */
import { judgeProblems, Problems } from '../../../src/bytes/problems.js';
import { MappedSource } from '../../../src/bytes/source.js';
import { type CheckContext, type CheckTarget, defineStaticCheck, instanceOf } from '../../../src/check.js';
import type { DatabaseInstance, Judgement } from '../../../src/types.js';
import { count } from '../../../src/words.js';
import { notRedis } from '../applies.js';
import { rdbFilesOf } from '../files.js';
import { wasRunning } from '../running.js';
import { type JudgedRdb, judgeRdb } from './judge.js';
import { type RdbScan, scanRdb } from './scan.js';

/** Plain JSON. `scan` null: it is no readable file. */
export interface RdbEvidence {
  volume: string;
  folder: string;
  /** The guest was running when it was captured; null when nothing tells. */
  guestWasRunning: boolean | null;
  /** An append-only file lies there too, and the settings do not say that it is not used. */
  hasAppendOnly: boolean;
  files: { path: string; scan: RdbScan | null }[];
  /** Files behind the limit. */
  more: number;
}

const MAX_FILES = 200;
const ADVICE =
  'The server will not load this file. Use an earlier restore point that passed, or the append-only file if the server had one. "redis-check-rdb FILE" shows how far it can be read.';

export default defineStaticCheck<RdbEvidence>({
  id: 'redis/rdb',
  title: 'Every RDB file of Redis or Valkey is whole and carries the checksum of its own bytes',
  failureTitle: 'An RDB file of Redis or Valkey is damaged: the server refuses to load it',
  description: 'Follows every record, length and compressed string of the snapshot files (dump.rdb) and verifies their CRC-64, without running the server.',
  timeoutMs: 30 * 60_000,
  skipReason,
  collect,
  evaluate: judge,
});

function skipReason(target: CheckTarget): string | null {
  return notRedis(target) ?? (instanceOf(target).facts.rdb ? null : 'there is no RDB file; the append-only file is judged by redis/aof');
}

async function collect(instance: DatabaseInstance, context: CheckContext<unknown>): Promise<RdbEvidence> {
  const { location, facts } = instance;
  const found = await rdbFilesOf(context.labs.files, location, typeof facts.configuredFile === 'string' ? facts.configuredFile : null);
  const chosen = found.slice(0, MAX_FILES);
  const maps = await context.labs.files.map(chosen.map((entry) => entry.location));
  const files: RdbEvidence['files'] = [];
  for (const [i, entry] of chosen.entries()) {
    const map = maps[i];
    const { path } = entry.location;
    const source = map ? new MappedSource(map) : null;
    const report = (doneBytes: number) => context.progress({ stage: 'static', what: `Redis ${path}`, doneBytes, totalBytes: entry.sizeBytes });
    files.push({ path, scan: source && (await scanRdb(source, context.signal, report).finally(() => source.close())) });
  }
  const hasAppendOnly = (facts.appendOnlyFolder !== null || facts.appendOnlyFile !== null) && facts.configuredAppendOnly !== 'no';
  const guestWasRunning = wasRunning(location.volume, context);
  return { volume: location.volume, folder: location.path, guestWasRunning, hasAppendOnly, files, more: found.length - chosen.length };
}

function judge(evidence: RdbEvidence): Judgement {
  const judged: JudgedRdb = { problems: new Problems(), untested: [] };
  for (const { path, scan } of evidence.files) {
    if (scan) judgeRdb(path, scan, judged);
    else judged.untested.push({ what: `RDB file ${path}`, why: 'it could not be read as a file', holdsData: true });
  }
  if (evidence.files.length === 0)
    judged.untested.push({ what: `RDB file in ${evidence.folder}`, why: 'it was there when the guest was inspected, and is not now', holdsData: true });
  if (evidence.more > 0)
    judged.untested.push({ what: `${evidence.more} further RDB files in ${evidence.folder}`, why: `only ${MAX_FILES} are looked at`, holdsData: true });
  const older = !evidence.hasAppendOnly && evidence.guestWasRunning !== false;
  if (older) tellAge(evidence, judged.problems);
  return judgeProblems({
    reports: [judged.problems.report()],
    soundState: older ? 'lost-tail' : 'clean',
    passSummary: passSummary(evidence),
    what: `Redis in ${evidence.folder}`,
    advice: ADVICE,
    consistency: { level: 'filesystem', why: `the RDB files in ${evidence.folder} are complete snapshots, each of one instant` },
    recovery: { needed: false, seconds: 0, bytes: 0 },
    tested: evidence.files.flatMap(({ path, scan }) => (scan ? [{ what: `RDB file ${path}`, how: how(scan) }] : [])),
    untested: judged.untested,
  });
}

/** Without an append-only file what was written since the last snapshot is in memory only: by design, and worth knowing. */
function tellAge({ files }: RdbEvidence, problems: Problems): void {
  for (const { path, scan } of files) {
    const seconds = Number(scan?.facts?.notes.ctime);
    if (!(seconds > 0 && seconds < 1e11)) continue;
    const message = `${path} holds the data as of ${new Date(seconds * 1000).toISOString()}. What was written later lay in the memory of the server only.`;
    problems.add({ code: 'redis.rdb.instant', severity: 'info', message, where: { file: path }, state: null });
  }
}

function passSummary({ folder, files }: RdbEvidence): string {
  const keys = files.reduce((sum, { scan }) => sum + (scan?.facts?.keys ?? 0), 0);
  const bare = files.filter(({ scan }) => scan?.facts?.checksum === 'none').length;
  const note = bare > 0 ? `, ${bare} of them without a checksum` : ' and their checksums fit';
  return `${files.length === 1 ? 'The RDB file' : `${files.length} RDB files`} in ${folder} can be read to the end (${count(keys, 'key')})${note}.`;
}

function how({ sizeBytes, facts }: RdbScan): string {
  if (!facts) return `computed the CRC-64 of its ${sizeBytes} bytes`;
  const sum = facts.checksum === 'none' ? 'no checksum is stored' : 'compared their CRC-64';
  return `followed ${count(facts.keys, 'key')} in ${count(facts.databases, 'database')} over ${sizeBytes} bytes (RDB version ${facts.version}); ${sum}`;
}
