import { defineCheck } from '../../../src/check.js';
import type { Finding, Judgement, UntestedItem } from '../../../src/types.js';
import { evaluateHead, wasShutDown } from '../control-file/index.js';
import { formatLsn } from '../format/lsn.js';
import { evaluatePages } from '../page-checksums/index.js';
import type { PageFacts } from '../page-facts.js';
import { type StaticEvidence, staticPass } from '../static-pass.js';
import { evaluateLog } from '../wal-chain/index.js';
import type { LogFacts } from '../wal-walk.js';
import { exampleFindings, finding, notPostgres, SKEW_ADVICE, trustedControl } from '../words.js';

/** What one instance is, all things considered. */
export type InstanceState = 'clean' | 'recoverable' | 'lost tail' | 'damaged' | 'non-atomic' | 'unknown';

const SKEW = 'The disks of this backup were not captured at the same instant.';

export default defineCheck<StaticEvidence, Record<string, never>>({
  id: 'postgresql/log-versus-pages',
  title: 'Data files and write-ahead log belong to the same instant',
  failureTitle: 'Data files and write-ahead log are of different instants',
  description:
    'R1: no page is newer than the end of the log. R2: every change logged before the checkpoint is in its page. The server itself checks neither when it recovers.',
  stage: 'static',
  depth: 'static',
  targetKind: 'instance',
  lab: 'none',
  timeoutMs: 6 * 3_600_000,
  optionsSchema: { type: 'object', additionalProperties: false },
  defaultOptions: {},
  skipReason: notPostgres,
  collect: async (target, context) => {
    if (target.kind !== 'instance') throw new TypeError('this check looks at database instances');
    return staticPass(target.instance, context);
  },
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

function withState(judgement: Judgement, state: { word: InstanceState; why: string }): Judgement {
  const code = `state.${state.word.replace(' ', '-')}`;
  return { ...judgement, findings: [finding(code, 'info', `This cluster is ${state.word}: ${state.why}`), ...judgement.findings] };
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
  const cause = log.beyond ? 'The log is interrupted in between.' : SKEW;
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

/** The word for the whole instance, from all that the static pass saw. */
export function instanceState(evidence: StaticEvidence): { word: InstanceState; why: string } {
  const { head, wal, relations } = evidence;
  if (head.control.kind === 'unknown') return { word: 'unknown', why: `${head.control.why}.` };
  if (head.control.kind === 'damaged') return { word: 'damaged', why: `${head.control.why}.` };
  const start = evaluateHead(head);
  if (start.outcome === 'fail') return { word: 'damaged', why: start.summary };
  if (!relations || !wal?.log) return { word: 'damaged', why: 'its log is not in the restore point.' };
  const kinds = relations.pages.kinds;
  if (kinds.stale.count > 0) return { word: 'non-atomic', why: 'data files are older than the log.' };
  if (kinds.newer.count > 0 && !wal.log.beyond) return { word: 'non-atomic', why: 'data files are newer than the log.' };
  if (wal.log.overflowed) return { word: 'unknown', why: 'the log names more blocks than can be held in memory.' };
  const pages = evaluatePages(evidence);
  if (pages.outcome === 'fail') return { word: 'damaged', why: pages.summary };
  const chain = evaluateLog(evidence);
  if (chain.outcome === 'fail') return brokenLog(wal.log, kinds.newer.count, chain.summary);
  if (wasShutDown(head, head.control.control)) return { word: 'clean', why: 'it was shut down, and nothing is to be replayed.' };
  return { word: 'recoverable', why: `the log covers everything, ${wal.log.end - wal.log.redo} bytes are to be replayed.` };
}

function brokenLog(log: LogFacts, newer: number, why: string): { word: InstanceState; why: string } {
  if (log.beyond && newer === 0) return { word: 'lost tail', why };
  const checkpointMissing = log.records === 0 || !log.beyond;
  return { word: checkpointMissing ? 'non-atomic' : 'damaged', why };
}
