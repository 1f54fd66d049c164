/** What the facts about a write-ahead log mean. Pure. */
import type { Finding, Severity } from '../../../src/types.js';
import type { WalIndexHeader } from '../format/wal-index.js';
import type { WalFacts } from '../scan-wal.js';
import type { StaticEvidence } from '../static-pass.js';

export function walFindings(evidence: StaticEvidence): Finding[] {
  const { wal } = evidence;
  if (!wal) return [];
  if (wal.ignored !== null) return ignoredLog(evidence, wal);
  if (evidence.fileBytes === 0) return emptyDatabase(evidence, wal);
  return [
    ...holeFindings(evidence, wal),
    ...tailFindings(evidence, wal),
    ...instantFindings(evidence, wal),
    ...staleFindings(evidence),
    ...sizeFindings(evidence, wal),
  ];
}

function finding(evidence: StaticEvidence, code: string, severity: Severity, message: string, where: Record<string, string | number> = {}): Finding {
  return { code, severity, message, where: { volume: evidence.volume, file: `${evidence.path}-wal`, ...where } };
}

/** A log that has only its first bytes is one that was being created; with more than a header it held transactions. */
function ignoredLog(evidence: StaticEvidence, wal: WalFacts): Finding[] {
  if (wal.sizeBytes <= 32) return [finding(evidence, 'sqlite.wal.unused', 'info', `The write-ahead log of ${evidence.path} was just being created.`)];
  const message = `SQLite will ignore the whole write-ahead log of ${evidence.path} (${wal.sizeBytes} bytes), because ${wal.ignored}: its transactions are lost.`;
  return [finding(evidence, 'sqlite.wal.header', 'critical', message, { offset: 0 })];
}

function emptyDatabase(evidence: StaticEvidence, wal: WalFacts): Finding[] {
  if (wal.committedFrames === 0) return [];
  const message = `${evidence.path} has no bytes, but its write-ahead log has ${wal.commits} transactions: SQLite deletes that log when it opens the database.`;
  return [finding(evidence, 'sqlite.wal.no-database', 'critical', message)];
}

/** The index beside the log describes this very log. */
function indexOf({ walIndex }: StaticEvidence, wal: WalFacts): WalIndexHeader | null {
  return walIndex && walIndex.salt1 === wal.salt1 && walIndex.salt2 === wal.salt2 ? walIndex : null;
}

/**
 * Commits of this log behind a frame that does not fit. Two healthy histories look similar: a large transaction whose
 * checksums are being rewritten at its commit (one commit, at the very end, header of the frame intact, not yet in the
 * index), and remains of an earlier crash (the index confirms exactly our end). Both need the index's word for it.
 */
function holeFindings(evidence: StaticEvidence, wal: WalFacts): Finding[] {
  if (!wal.brokenFrame || wal.laterCommits === 0) return [];
  const { frame, sameSalts } = wal.brokenFrame;
  const lastFrame = indexOf(evidence, wal)?.lastFrame ?? null;
  const beingCommitted = sameSalts && wal.laterCommits === 1 && lastFrame !== null && lastFrame <= wal.committedFrames;
  const confirmedEnd = lastFrame !== null && lastFrame === wal.committedFrames;
  const where = { frame, lastLaterCommit: wal.lastLaterCommit };
  if (beingCommitted || confirmedEnd) {
    const message = `Frame ${frame} of the write-ahead log of ${evidence.path} does not fit, and commits follow it; the index beside it says the log ends before, so a commit was under way or these are remains of an earlier crash.`;
    return [finding(evidence, 'sqlite.wal.end-doubtful', 'warning', message, where)];
  }
  const message = `The write-ahead log of ${evidence.path} has a hole at frame ${frame}: ${wal.laterCommits} committed transactions behind it will be dropped without a word when the database is opened.`;
  return [finding(evidence, 'sqlite.wal.hole', 'critical', message, where)];
}

/** The index saw commits that the log no longer has. */
function tailFindings(evidence: StaticEvidence, wal: WalFacts): Finding[] {
  const index = indexOf(evidence, wal);
  if (!index || index.lastFrame <= wal.committedFrames) return [];
  const where = { committedFrames: wal.committedFrames, indexFrames: index.lastFrame };
  if (index.copiedBack > wal.committedFrames) {
    const message = `${index.copiedBack} frames of the write-ahead log of ${evidence.path} had been copied into the database, but the log now ends at frame ${wal.committedFrames}: the database is newer than its log.`;
    return [finding(evidence, 'sqlite.wal.behind-database', 'critical', message, where)];
  }
  const message = `The write-ahead log of ${evidence.path} ends at frame ${wal.committedFrames}, the index beside it knew ${index.lastFrame}: the last transactions had not reached the disk and are lost. The database is consistent, at an earlier point.`;
  return [finding(evidence, 'sqlite.wal.tail-lost', 'warning', message, where)];
}

/**
 * Page 1 carries a change counter, and only the log changes the database: the counter in the file is that of some copy
 * in the log, or at most one less than the first. Writers need not advance it, so agreement proves nothing.
 */
function instantFindings(evidence: StaticEvidence, wal: WalFacts): Finding[] {
  const counter = evidence.header?.changeCounter;
  if (typeof counter !== 'number' || wal.firstCounter === null || wal.lastCounter === null) return [];
  const where = { databaseCounter: counter, firstCounter: wal.firstCounter, lastCounter: wal.lastCounter };
  if (counter > wal.lastCounter) {
    const message = `${evidence.path} is newer than its write-ahead log (change counter ${counter}, the log ends at ${wal.lastCounter}): the two are of different instants, and opening it overwrites new pages with old ones.`;
    return [finding(evidence, 'sqlite.wal.older', 'critical', message, where)];
  }
  if (counter < wal.firstCounter - 1) {
    const message = `${evidence.path} is older than its write-ahead log (change counter ${counter}, the log begins at ${wal.firstCounter}): the two are of different instants, transactions between them are lost.`;
    return [finding(evidence, 'sqlite.wal.newer', 'critical', message, where)];
  }
  return [];
}

/** The database lacks what a log that was finished before had brought into it (R2). */
function staleFindings(evidence: StaticEvidence): Finding[] {
  const { previousLog } = evidence;
  if (!previousLog || previousLog.stalePages === 0) return [];
  const { stalePages, comparedPages, examples } = previousLog;
  const message = `${stalePages} of ${comparedPages} pages that the log before the present one had brought into ${evidence.path} are not in it: the database is older than its log, or writes to it were lost.`;
  return [finding(evidence, 'sqlite.wal.database-older', 'critical', message, { page: examples[0] ?? 0, stalePages, comparedPages })];
}

function sizeFindings(evidence: StaticEvidence, wal: WalFacts): Finding[] {
  const absent = evidence.pages?.absent ?? 0;
  if (absent === 0 || wal.committedFrames === 0) return [];
  const message = `The write-ahead log of ${evidence.path} speaks of ${wal.commitPages} pages; ${absent} of them lie neither in it nor in the database. It may be the log of another database or another instant.`;
  return [finding(evidence, 'sqlite.wal.outside', 'warning', message, { pages: absent })];
}

/** A database in WAL mode without a log: normal after its last user closed it, and a loss when it was in use. */
export function missingLogFindings(evidence: StaticEvidence, missingLog: 'warn' | 'fail'): Finding[] {
  if (evidence.wal || evidence.header?.journalMode !== 'wal' || evidence.walFileExists) return [];
  if (evidence.hasWalIndex) {
    const message = `${evidence.path} was in use when it was captured (its -shm file is there), but its write-ahead log is missing: every transaction since the last checkpoint is lost, and SQLite will not notice.`;
    return [finding(evidence, 'sqlite.wal.missing', 'critical', message)];
  }
  if (evidence.guestWasRunning === false) return [];
  const severity = missingLog === 'fail' && evidence.guestWasRunning === true ? 'critical' : 'warning';
  const message = `${evidence.path} uses a write-ahead log, and none was captured. That is normal if no program had it open; if one had, its last transactions are lost, and nothing in the file tells.`;
  return [finding(evidence, 'sqlite.wal.absent', severity, message)];
}
