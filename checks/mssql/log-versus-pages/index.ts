/** Check `mssql/log-versus-pages`: see README.md beside this file. */
import { judgeProblems, Problems } from '../../../src/bytes/problems.js';
import { defineStaticCheck } from '../../../src/check.js';
import type { InstanceState, Judgement, UntestedItem } from '../../../src/types.js';
import { notMssql } from '../applies.js';
import { formatLsn } from '../format/page.js';
import type { LogFacts } from '../log-walk.js';
import { type StaticEvidence, staticPass } from '../static-pass.js';
import { count, exemption, nameOf, SKEW_ADVICE, soundState } from '../words.js';

export default defineStaticCheck<StaticEvidence>({
  id: 'mssql/log-versus-pages',
  title: 'Data and log of the SQL Server database belong to the same instant, and the log is unbroken from the checkpoint on',
  failureTitle: 'Data and log of the SQL Server database do not fit together',
  description:
    'Follows the log from the last checkpoint to its true end and holds every page in use against it: no page may be newer than the log (rule R1), and recovery must find where it begins.',
  timeoutMs: 6 * 3_600_000,
  skipReason: notMssql,
  collect: staticPass,
  evaluate: evaluateLog,
});

/** The server keeps at most so much log under way at once: blocks may reach the disk in another order within it. */
const IN_FLIGHT_BYTES = 4 * 1024 * 1024;

export function evaluateLog(evidence: StaticEvidence): Judgement {
  const exempt = exemption(evidence);
  if (exempt) return exempt;
  const { log, cleanlyShutDown } = evidence;
  const problems = new Problems();
  const add = (code: string, state: InstanceState, message: string, where = {}) =>
    problems.add({ code, severity: 'critical', state, message, where: { file: evidence.path, ...where } });
  noteLog(evidence, problems, add);
  noteNewer(evidence, add);
  noteMissingFiles(evidence, add);
  const state = soundState(evidence);
  const bytes = cleanlyShutDown ? 0 : (log?.bytes ?? 0);
  const why = cleanlyShutDown ? `${nameOf(evidence)} was shut down` : `${nameOf(evidence)} was running: ${bytes} bytes of log follow its checkpoint`;
  return judgeProblems({
    reports: [problems.report()],
    soundState: state,
    passSummary: cleanlyShutDown ? 'The database was shut down cleanly; no page is newer than its log.' : passSummary(log),
    advice: SKEW_ADVICE,
    what: nameOf(evidence),
    ...(state === 'unknown'
      ? {}
      : { consistency: { level: cleanlyShutDown ? 'application' : 'crash', why }, recovery: { needed: !cleanlyShutDown, seconds: null, bytes } }),
    tested: log ? [{ what: `log of ${nameOf(evidence)}`, how: howTested(evidence, log) }] : [],
    untested: untestedOf(evidence),
  });
}

type Add = (code: string, state: InstanceState, message: string, where?: Record<string, string | number>) => void;

function noteLog({ log, boot, cleanlyShutDown, pages, logFiles }: StaticEvidence, problems: Problems, add: Add): void {
  if (!log) {
    if (!cleanlyShutDown && logFiles.length === 0)
      add('mssql.log.missing', 'damaged', 'The database was in use, and its log is not in the restore point: it cannot be recovered.');
    return;
  }
  for (const { code, message, file, offset } of log.problems) add(code, 'damaged', `In the log, ${message}.`, { file, offset });
  if (boot?.checkpoint && boot.sumFits) noteCheckpoint(log, formatLsn(boot.checkpoint), add);
  if (!log.end) add('mssql.log.empty', 'damaged', 'No block of the log is readable.');
  const { beyond, end } = log;
  if (!beyond || !end) return;
  const place = `Behind the end of the log at ${formatLsn(end)} lie ${count(beyond.blocks, 'whole block')}`;
  const contradicted = (pages?.kinds.newer.count ?? 0) > 0;
  if (beyond.spanBytes > IN_FLIGHT_BYTES || contradicted) {
    add('mssql.log.hole', 'lost-tail', `${place}: the log has a hole, and what was committed after it is lost.`, { lsn: formatLsn(end) });
  } else {
    const message = `${place}. Blocks under way at the capture look like this; a hole there would too.`;
    problems.add({ code: 'mssql.log.end-doubtful', severity: 'warning', state: null, message, where: { lsn: formatLsn(end) } });
  }
}

function noteCheckpoint({ checkpoint }: LogFacts, lsn: string, add: Add): void {
  const where = { lsn };
  if (checkpoint === 'beyond') add('mssql.checkpoint.beyond', 'non-atomic', `The checkpoint at ${lsn} is not yet in the log: the data files are newer.`, where);
  if (checkpoint === 'overwritten')
    add('mssql.checkpoint.overwritten', 'non-atomic', `The checkpoint at ${lsn} is no longer in the log: the data files are older.`, where);
  if (checkpoint === 'damaged') add('mssql.checkpoint.damaged', 'damaged', `The log is damaged at the checkpoint ${lsn}, where recovery begins.`, where);
}

function noteNewer({ pages, log }: StaticEvidence, add: Add): void {
  const total = pages?.kinds.newer.count ?? 0;
  for (const { file, page, lsn } of pages?.kinds.newer.examples ?? []) {
    const message = `Page ${page} of ${file} was changed at ${lsn}, after the end of the log at ${log?.end ? formatLsn(log.end) : 'nowhere'} (one of ${total}).`;
    add('mssql.page.newer-than-log', 'non-atomic', message, { file, page, lsn });
  }
}

function noteMissingFiles({ dataFiles, pages, logFiles }: StaticEvidence, add: Add): void {
  const there = new Set(dataFiles.map(({ fileId }) => fileId));
  if (!there.has(1)) add('mssql.file.missing', 'damaged', 'The primary data file of this database is not in the restore point.', { fileId: 1 });
  for (const fileId of pages?.files ?? []) {
    if (there.has(fileId)) continue;
    add('mssql.file.missing', 'damaged', `Pages point to file ${fileId} of this database, which is not in the restore point.`, {
      fileId,
      logFiles: logFiles.length,
    });
  }
}

function passSummary(log: LogFacts | null): string {
  if (log?.checkpoint !== 'found') return 'No page is newer than the log; where recovery begins is not known.';
  return `The log is unbroken over ${count(log.blocks, 'block')} (${log.bytes} bytes) from the checkpoint to its end, and no page is newer.`;
}

function howTested({ pages }: StaticEvidence, log: LogFacts): string {
  return `parity, number and checksum of ${log.blocks} blocks from the checkpoint on, in ${log.vlfs} virtual log files; log position of ${pages?.used ?? 0} pages against its end`;
}

function untestedOf({ path, boot, log, cleanlyShutDown }: StaticEvidence): UntestedItem[] {
  if (cleanlyShutDown || !log || (log.checkpoint !== 'unknown' && boot)) return [];
  const why = boot?.sumFits ? `files of version ${boot.version} keep it in a place that is not known` : 'the boot page, which has it, is damaged';
  return [{ what: `where recovery of ${path} begins in its log`, why, holdsData: true }];
}
