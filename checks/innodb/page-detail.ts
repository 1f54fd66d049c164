/** What the threads of the page pass must know of a tablespace. */
import type { Tablespace } from './files/tablespaces.js';
import type { PageDetail } from './page-verifier.js';
import type { LogKnowledge } from './redo/knowledge.js';
import type { LogReport } from './redo/read-log.js';

export interface LogStep {
  report: LogReport;
  knowledge: LogKnowledge;
}

/** @param log null: nothing is known of one. @param copies ranges of the system tablespace that hold copies of other pages. */
export function pageDetail(space: Tablespace, log: LogStep | null, copies: PageDetail['copies']): PageDetail {
  const isSystem = space.file.kind === 'system';
  const isNew = space.blank && (log?.knowledge.isRemade(space.space) || log?.knowledge.files.get(space.space)?.created) === true;
  return {
    ...{ path: space.file.path, relation: log?.knowledge.spaces.find(space.space) ?? -1 },
    ...{ isNew, perhapsDropped: log !== null && perhapsDropped(space, log), links: log === null ? 'none' : linksOf(space, log) },
    ...{ space: space.space, firstPage: space.firstPage, firstBit: space.firstBit, copies: isSystem ? copies : [] },
    ...space.form,
  };
}

/**
 * MySQL 5.7 and MariaDB before 10.6 throw the pages of a table away a moment before the log says that its file is deleted: captured
 * between the two, with a checkpoint in between, pages lack what was logged, and nothing is lost. A tablespace that was changed after
 * the record of the checkpoint was not being deleted when the checkpoint was written.
 */
function perhapsDropped({ space, file }: Tablespace, { knowledge, report: { head, log } }: LogStep): boolean {
  const thrownAwayFirst = head?.format === 'mariadb-10.5' || (head?.format === 'mysql' && log.state === 'ok' && log.facts.everyRecord === true);
  if (!thrownAwayFirst || file.kind === 'system' || (log.state === 'ok' && log.facts.cleanShutdown)) return false;
  return !knowledge.changedSince.has(space);
}

/**
 * Pages can be compared where it is known which of them recovery leaves alone. Turning encryption on and off gives pages newer LSNs in the
 * order of their numbers, and MariaDB gives pages of tables from before 5.1 their type when it meets them: then LSNs say nothing.
 */
function linksOf(space: Tablespace, log: LogStep): PageDetail['links'] {
  const { knowledge, report } = log;
  if (space.form.family !== 'mariadb' || report.log.state !== 'ok' || !report.log.facts.pagesKnown || report.log.facts.beyond) return 'none';
  if (knowledge.touched.overflowed || knowledge.spaces.overflowed || perhapsDropped(space, log)) return 'none';
  return space.form.fullCrc32 && !space.everEncrypted ? 'all' : 'leaves';
}
