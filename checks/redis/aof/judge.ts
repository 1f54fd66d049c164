/** The rules of the server for an append-only file, applied to what was read of it. */
import type { Finding } from '../../../src/types.js';
import { type JudgedRdb, judgeRdb } from '../rdb/judge.js';
import type { AofEvidence, AofFile, AofSet } from './scan.js';

export interface JudgedAof extends JudgedRdb {
  /** Bytes of incomplete commands that the server cuts off. */
  cutBytes: number;
}

export function judgeSet(set: AofSet, evidence: AofEvidence, into: JudgedAof): void {
  if (set.refused !== null) {
    into.problems.damaged('redis.aof.manifest', `The manifest ${set.path} cannot be used: ${set.refused}.`, { file: set.path });
    return;
  }
  if (set.more > 0) into.untested.push({ what: `${set.more} further files of ${set.path}`, why: 'only the first 200 are looked at', holdsData: true });
  const last = set.more > 0 ? -1 : set.files.length - 1;
  for (const [i, file] of set.files.entries()) judgeFile(file, i === last, evidence, into);
}

/**
 * A server that finds parts without a manifest begins with nothing. A healthy one looks so for an instant only: when it makes its first
 * manifest, before which no command is written.
 */
export function judgeOrphans({ orphans, appendOnly }: AofEvidence, { problems }: JudgedAof): void {
  if (!orphans) return;
  const used = appendOnly !== 'no' && orphans.commandBytes > 0 && !orphans.beingMade;
  const message = `${orphans.folder} holds ${orphans.files} parts of an append-only file (${orphans.commandBytes} bytes of commands) and no manifest: the server ignores them and begins with nothing.`;
  const where = { file: orphans.folder };
  problems.add({ code: 'redis.aof.no-manifest', severity: used ? 'critical' : 'warning', message, where, state: used ? 'damaged' : null });
}

function judgeFile(file: AofFile, isLast: boolean, evidence: AofEvidence, into: JudgedAof): void {
  const where = { file: file.path };
  if (file.sizeBytes === null) {
    const message = `${file.path} is named in the manifest and is not there: the server refuses to start, and its commands are lost.`;
    into.problems.add({ code: 'redis.aof.missing', severity: 'critical', message, where, state: 'non-atomic' });
  } else if (file.facts === null) {
    if (file.rdb) judgeRdb(file.path, file.rdb, into, false);
  } else {
    const { facts } = file;
    if (facts.rdb) judgeRdb(file.path, { sizeBytes: file.sizeBytes, facts: facts.rdb, why: '', unknown: false, wholeChecksum: null }, into, false);
    if (facts.end === 'broken') judgeBroken(file, { ...where, offset: facts.goodUntil }, into);
    else if (facts.end !== 'whole') judgeTail(file, isLast, evidence, into);
  }
}

function judgeBroken({ path, facts, tailZeroes }: AofFile, where: Finding['where'], { problems }: JudgedAof): void {
  const good = facts?.goodUntil ?? 0;
  if (tailZeroes >= 2) {
    const message = `${path} ends in zeroes: space that was given to it and never written. The server refuses to start until they are cut off at byte ${good}.`;
    problems.damaged('redis.aof.zero-tail', message, where);
    return;
  }
  problems.damaged('redis.aof.structure', `${path} is damaged behind byte ${good}: ${facts?.why}. The server refuses to start.`, where);
}

/** The end of the last file is where a crash, and a capture, cut the stream of commands. */
function judgeTail({ path, facts, sizeBytes }: AofFile, isLast: boolean, { loadTruncated }: AofEvidence, into: JudgedAof): void {
  if (!facts) return;
  const where = { file: path, offset: facts.goodUntil };
  const cut = (sizeBytes ?? 0) - facts.goodUntil;
  const what = facts.end === 'truncated' ? 'ends inside a command' : 'ends inside a transaction (MULTI without EXEC)';
  if (!isLast) {
    const message = `${path} ${what}, and it is not the last file: commands are lost in the middle, and the server refuses to start.`;
    into.problems.damaged('redis.aof.hole', message, where);
    return;
  }
  into.cutBytes += cut;
  const refused = loadTruncated === 'no';
  const advice = refused
    ? 'The server is set to refuse that (aof-load-truncated no): "redis-check-aof --fix" cuts it off.'
    : 'The server cuts it off when it starts.';
  const message = `${path} ${what}: its last ${cut} bytes are lost. ${advice}`;
  into.problems.add({ code: 'redis.aof.tail', severity: refused ? 'critical' : 'warning', message, where, state: 'lost-tail' });
}
