import { defineStaticCheck } from '../../../src/check.js';
import type { Finding, Judgement, UntestedItem } from '../../../src/types.js';
import { formatLsn } from '../format/lsn.js';
import type { LogFacts } from '../log/walk.js';
import type { PageFacts } from '../pages/facts.js';
import { type StaticEvidence, staticPass } from '../static-pass.js';
import { exampleFindings, finding, notPostgres, SKEW_ADVICE, trustedControl } from '../words.js';
import { instanceState, type StateAndWhy } from './instance-state.js';

const SKEW = 'The disks of this backup were not captured at the same instant.';

export default defineStaticCheck<StaticEvidence>({
  id: 'postgresql/log-versus-pages',
  title: 'Data files and write-ahead log belong to the same instant',
  failureTitle: 'Data files and write-ahead log are of different instants',
  description:
    'R1: no page is newer than the end of the log. R2: every change logged before the checkpoint is in its page. The server itself checks neither when it recovers.',
  timeoutMs: 6 * 3_600_000,
  skipReason: notPostgres,
  collect: staticPass,
  evaluate: evaluateReconciliation,
});

export function evaluateReconciliation(evidence: StaticEvidence): Judgement {
  const trusted = trustedControl(evidence.head, 'data files against log');
  if ('judgement' in trusted) return withState(trusted.judgement, instanceState(evidence));
  const pages = evidence.relations?.pages;
  const log = evidence.wal?.log;
  if (!pages || !log || log.records === 0) return withState(nothingToCompare(), instanceState(evidence));
  const findings = [...newerFindings(pages, log), ...staleFindings(pages, log)];
  const worst = findings.find((item) => item.severity === 'critical');
  const judgement: Judgement = {
    outcome: worst ? 'fail' : 'pass',
    summary: worst ? worst.message : `Data files and log fit each other (${pages.loggedPages} pages, ${pages.requiredPages} of them named in older log).`,
    findings,
    ...(worst ? { advice: SKEW_ADVICE } : {}),
    tested: testedRules(evidence, pages, log),
    untested: untestedRules(evidence, log),
  };
  return withState(judgement, instanceState(evidence));
}

function withState(judgement: Judgement, { state, why }: StateAndWhy): Judgement {
  const findings = [finding(`state.${state}`, 'info', `This cluster is ${state}: ${why}`), ...judgement.findings];
  return { ...judgement, instanceState: state, findings };
}

function nothingToCompare(): Judgement {
  const message = 'There is no readable log to compare the data files with.';
  return {
    outcome: 'fail',
    summary: message,
    findings: [finding('log-pages.no-log', 'critical', message)],
    advice: SKEW_ADVICE,
    tested: [],
    untested: [{ what: 'data files against log', why: message, holdsData: true }],
  };
}

function newerFindings(pages: PageFacts, log: LogFacts): Finding[] {
  const { count, examples } = pages.kinds.newer;
  if (count === 0) return [];
  const cause = log.beyond ? 'The log is interrupted in between.' : log.zeroed ? 'The end of the log is overwritten with zeroes.' : SKEW;
  const message = `The data files are newer than the transaction log: ${count} of ${pages.loggedPages} blocks carry changes from after ${formatLsn(log.end)}, where the log ends (the newest ${formatLsn(pages.maxLsn)}). ${cause}`;
  const where = { blocks: count, logEnd: formatLsn(log.end), newest: formatLsn(pages.maxLsn) };
  return [
    finding('page.newer-than-log', 'critical', message, where),
    ...exampleFindings('page.newer', 'critical', (place) => `${capital(place)} is newer than the end of the log.`, examples),
  ];
}

function staleFindings(pages: PageFacts, log: LogFacts): Finding[] {
  const { count, examples } = pages.kinds.stale;
  if (count === 0) return [];
  const skewed = count > pages.requiredPages / 10;
  const cause = skewed ? SKEW : 'Writes to the data files were lost.';
  const message = `The data files are older than the transaction log: ${count} of ${pages.requiredPages} blocks lack changes that were on disk before the checkpoint at ${formatLsn(log.redo)}. Recovery does not bring them back. ${cause}`;
  return [
    finding('page.older-than-log', 'critical', message, { blocks: count, redo: formatLsn(log.redo) }),
    ...exampleFindings('page.stale', 'critical', (place) => `${capital(place)} lacks a change that the log says was already written.`, examples),
  ];
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function testedRules(evidence: StaticEvidence, pages: PageFacts, log: LogFacts): Judgement['tested'] {
  const tested = [{ what: 'data newer than the log (R1)', how: `LSN of ${pages.loggedPages} pages against the log's end ${formatLsn(log.end)}` }];
  if (!isStandby(evidence) && log.historyFrom < log.redo) {
    const how = `${pages.requiredPages} pages against ${log.historyRecords} log records from ${formatLsn(log.historyFrom)} to ${formatLsn(log.redo)}`;
    tested.push({ what: 'data older than the log (R2)', how });
  }
  return tested;
}

function untestedRules(evidence: StaticEvidence, log: LogFacts): UntestedItem[] {
  const what = 'data older than the log (R2)';
  const items: UntestedItem[] = [];
  if (isStandby(evidence)) items.push({ what, why: 'the cluster is a standby: its restart points follow other rules', holdsData: false });
  else if (log.historyFrom >= log.redo) items.push({ what, why: 'no log from before the checkpoint is left', holdsData: false });
  if (log.overflowed) items.push({ what: 'blocks named in the log', why: 'the log names more blocks than can be held in memory', holdsData: true });
  return items;
}

function isStandby(evidence: StaticEvidence): boolean {
  return evidence.head.standby || evidence.head.archiveRecovery;
}
