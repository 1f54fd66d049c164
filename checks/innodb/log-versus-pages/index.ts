import type { Tally } from '../../../src/bytes/page-facts.js';
import { defineStaticCheck } from '../../../src/check.js';
import type { Finding, InstanceState, Judgement, UntestedItem } from '../../../src/types.js';
import { evaluatePages } from '../page-checksums/index.js';
import type { PageFacts } from '../page-facts.js';
import type { LogFacts } from '../redo/facts.js';
import { evaluateLog, logState } from '../redo-log/index.js';
import { type StaticEvidence, staticPass } from '../static-pass.js';
import { count, finding, notInnodb, SKEW_ADVICE, tallied } from '../words.js';

const SKEW = 'The disks of this backup were not captured at the same instant.';

export default defineStaticCheck<StaticEvidence>({
  id: 'innodb/log-versus-pages',
  title: 'Tablespaces and redo log belong to the same instant',
  failureTitle: 'Tablespaces and redo log are of different instants',
  description:
    'R1: no page is newer than the end of the redo log. R2: every change logged before the checkpoint is in its page. The server checks the first only on pages it reads, and the second never.',
  timeoutMs: 6 * 3_600_000,
  skipReason: notInnodb,
  collect: staticPass,
  evaluate: evaluateReconciliation,
});

export function evaluateReconciliation(evidence: StaticEvidence): Judgement {
  const state = instanceState(evidence);
  const log = evidence.redo.log.state === 'ok' ? evidence.redo.log.facts : null;
  const pages = evidence.spaces?.pages;
  const judgement = log && pages ? compare(pages, log) : nothingToCompare(evidence);
  const note = finding(`state.${state.word}`, 'info', `This instance is ${state.word}: ${state.why}`);
  return { ...judgement, instanceState: state.word, findings: [note, ...judgement.findings] };
}

function compare(pages: PageFacts, log: LogFacts): Judgement {
  const findings = [...newerFindings(pages, log), ...staleFindings(pages, log), ...unlinkedFindings(pages), ...doubtfulFindings(pages)];
  const worst = findings.find((item) => item.severity === 'critical');
  return {
    outcome: worst ? 'fail' : 'pass',
    summary: worst ? worst.message : `Tablespaces and log fit each other (${pages.loggedPages} pages, ${pages.requiredPages} of them named in older log).`,
    findings,
    ...(worst ? { advice: SKEW_ADVICE } : {}),
    tested: testedRules(pages, log),
    untested: [...doubtfulPages(pages), ...untestedRules(log)],
  };
}

function nothingToCompare({ redo }: StaticEvidence): Judgement {
  const why = redo.log.state === 'ok' ? 'there are no pages to compare with' : redo.log.why;
  return {
    outcome: 'pass',
    summary: `Not compared: ${why}.`,
    findings: [],
    tested: [],
    untested: [{ what: 'tablespaces against the redo log', why, holdsData: true }],
  };
}

function newerFindings({ kinds, loggedPages, maxLsn }: PageFacts, log: LogFacts): Finding[] {
  const cause = log.beyond ? 'The log is interrupted in between.' : SKEW;
  return tallied(
    'page.newer-than-log',
    'critical',
    kinds.newer,
    (n) =>
      `The tablespaces are newer than the redo log: ${n} of ${loggedPages} carry changes from after ${log.end}, where the log ends (the newest ${maxLsn}). ${cause}`,
    (place) => `${place} is newer than the end of the log.`,
  );
}

function staleFindings({ kinds, requiredPages }: PageFacts, log: LogFacts): Finding[] {
  const cause = isSkewed(kinds.stale.count, requiredPages) ? SKEW : 'Writes to the tablespaces were lost.';
  return tallied(
    'page.older-than-log',
    'critical',
    kinds.stale,
    (n) =>
      `The tablespaces are older than the redo log: ${n} of ${requiredPages} lack changes that were on disk before the checkpoint at ${log.checkpoint}. ${cause}`,
    (place) => `${place} lacks a change that the log says was already written.`,
  );
}

/** Absent in older evidence. */
function doubtfulOf({ kinds }: PageFacts): Tally {
  return kinds.doubtful ?? { count: 0, examples: [] };
}

/** Absent in older evidence. */
function unlinkedOf({ kinds }: PageFacts): Tally {
  return kinds.unlinked ?? { count: 0, examples: [] };
}

function unlinkedFindings(pages: PageFacts): Finding[] {
  return tallied(
    'page.older-than-its-neighbour',
    'critical',
    unlinkedOf(pages),
    (n) => `${n} contradict the pages that are linked with them, and the log does not speak of either: writes to the tablespaces were lost.`,
    (place) => `${place} does not fit the page that is linked with it: one of the two is of an earlier instant.`,
  );
}

function doubtfulFindings(pages: PageFacts): Finding[] {
  return tallied(
    'page.perhaps-older-than-log',
    'warning',
    doubtfulOf(pages),
    (n) => `${n} lack changes that the log says were written. Their tables were not changed since: either they were just being dropped, or writes were lost.`,
    (place) => `${place} lacks a change that the log says was already written, unless its table was just being dropped.`,
  );
}

function doubtfulPages(pages: PageFacts): UntestedItem[] {
  const { count: found, examples } = doubtfulOf(pages);
  if (found === 0) return [];
  const why = 'they lack logged changes, and the log does not say whether their table was just being dropped';
  return [{ what: `${count(found, 'page')} of ${examples[0]?.file ?? '?'} and others`, why, holdsData: true }];
}

function isSkewed(stale: number, required: number): boolean {
  return stale > required / 10;
}

function testedRules(pages: PageFacts, log: LogFacts): Judgement['tested'] {
  const tested = [{ what: 'tablespaces newer than the log (R1)', how: `LSN of ${pages.loggedPages} pages against the log's end ${log.end}` }];
  if (log.historyFrom < log.checkpoint) {
    const what = isSample(log) ? 'changes, one of each block of log,' : 'mini-transactions';
    const how = `${pages.requiredPages} pages against ${log.historyRecords} ${what} from ${log.historyFrom} to ${log.checkpoint}`;
    tested.push({ what: 'tablespaces older than the log (R2)', how });
  }
  if ((pages.linkedPages ?? 0) > 0) {
    tested.push({
      what: 'pages against those linked with them',
      how: `${pages.linkedPages} leaves of indexes and pages of long values that the log does not name`,
    });
  }
  return tested;
}

/** Of each block of log only the first change was read. */
function isSample(log: LogFacts): boolean {
  return !(log.everyRecord ?? log.pagesKnown);
}

function untestedRules(log: LogFacts): UntestedItem[] {
  const what = 'tablespaces older than the log (R2)';
  const items: UntestedItem[] = [];
  const hasHistory = log.historyFrom < log.checkpoint;
  if (hasHistory && isSample(log)) {
    items.push({ what, why: 'of each block of this log only the first change is read: other pages may be stale', holdsData: false });
  } else if (!hasHistory && isSample(log)) {
    items.push({ what, why: 'the records of this log are encrypted, or of a format that is not read', holdsData: false });
  } else if (!hasHistory) items.push({ what, why: 'no log from before the checkpoint is left that can be read', holdsData: false });
  if (log.overflowed) items.push({ what: 'pages named in the log', why: 'the log names more pages than can be held in memory', holdsData: true });
  return items;
}

/** The word for the whole instance, from all that the static pass saw. */
export function instanceState(evidence: StaticEvidence): { word: InstanceState; why: string } {
  const { redo, spaces } = evidence;
  if (redo.log.state === 'unknown') return { word: 'unknown', why: `${redo.log.why}.` };
  if (redo.log.state !== 'ok')
    return evidence.instance.kind === 'directory' ? { word: 'damaged', why: `${redo.log.why}.` } : { word: 'unknown', why: `${redo.log.why}.` };
  if (!spaces) return { word: 'unknown', why: 'its tablespaces were not read.' };
  const log = redo.log.facts;
  return skewState(spaces.pages, log) ?? damageState(evidence, log) ?? { word: logState(log), why: restWords(log) };
}

function skewState(pages: PageFacts, log: LogFacts): { word: InstanceState; why: string } | null {
  const { kinds, requiredPages } = pages;
  const { stale, newer } = kinds;
  if (stale.count > 0) {
    const skewed = isSkewed(stale.count, requiredPages);
    return skewed ? { word: 'non-atomic', why: 'tablespaces are older than the log.' } : { word: 'damaged', why: 'writes to the tablespaces were lost.' };
  }
  if (newer.count > 0 && !log.beyond) return { word: 'non-atomic', why: 'tablespaces are newer than the log.' };
  return unlinkedOf(pages).count > 0 ? { word: 'damaged', why: 'writes to the tablespaces were lost: pages contradict those linked with them.' } : null;
}

function damageState(evidence: StaticEvidence, log: LogFacts): { word: InstanceState; why: string } | null {
  const pages = evaluatePages(evidence);
  if (pages.outcome === 'fail') return { word: 'damaged', why: pages.summary };
  const chain = evaluateLog(evidence);
  if (log.beyond && (evidence.spaces?.pages.kinds.newer.count ?? 0) > 0) return { word: 'damaged', why: chain.summary };
  if (chain.outcome === 'fail') return { word: logState(log), why: chain.summary };
  const hidden = [...pages.untested, ...(evidence.spaces ? doubtfulPages(evidence.spaces.pages) : [])].find((item) => item.holdsData);
  return hidden ? { word: 'unknown', why: `${hidden.what}: ${hidden.why}.` } : null;
}

function restWords(log: LogFacts): string {
  if (log.overflowed) return 'the log names more pages than can be held in memory.';
  return log.cleanShutdown ? 'nothing is to be replayed.' : `the log covers everything, ${log.end - log.checkpoint} bytes are to be replayed.`;
}
