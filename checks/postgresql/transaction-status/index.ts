import { defineStaticCheck } from '../../../src/check.js';
import type { Finding, Judgement, UntestedItem } from '../../../src/types.js';
import { soundState } from '../state.js';
import { clusterCatalogue, type StaticEvidence } from '../static-pass.js';
import type { StatusFacts } from '../status/facts.js';
import { count, countedFindings, finding, notJudged, notPostgres, trustedControl } from '../words.js';

const WHAT = 'the status of transactions';
const ADVICE = 'Restore an earlier restore point: without the status of a transaction its rows cannot be told from rows that were never committed.';

export default defineStaticCheck<StaticEvidence>({
  id: 'postgresql/transaction-status',
  title: 'The status of every transaction that rows may ask for is there, and is what the log says',
  failureTitle: 'The status of transactions is missing or wrong',
  description:
    'Looks for the segments of pg_xact, pg_multixact and pg_commit_ts that the control file calls for, and holds pg_xact against the commits in the log.',
  timeoutMs: 3_600_000,
  skipReason: notPostgres,
  collect: clusterCatalogue,
  evaluate: evaluateStatus,
});

export function evaluateStatus(evidence: StaticEvidence): Judgement {
  const trusted = trustedControl(evidence.head, WHAT);
  if ('judgement' in trusted) return trusted.judgement;
  const facts = evidence.status;
  if (!facts || facts.unread) return notJudged(WHAT, facts?.unread ?? 'it was not read');
  const findings = [...damage(facts), ...doubts(facts)];
  const worst = findings.find((item) => item.severity === 'critical');
  const untested = untestedOf(facts);
  const compared = facts.commitsCompared > 0 ? `, ${count(facts.commitsCompared, 'commit')} of the log are in pg_xact` : '';
  return {
    outcome: worst ? 'fail' : 'pass',
    summary: worst ? worst.message : `All ${count(facts.pages, 'page')} that must be there are${compared}.`,
    findings,
    ...(worst ? { advice: ADVICE } : {}),
    instanceState: worst ? 'damaged' : untested.some((item) => item.holdsData) ? 'unknown' : soundState(evidence.head),
    tested: [
      { what: WHAT, how: `${count(facts.pages, 'page')} of pg_xact, pg_multixact and pg_commit_ts; ${count(facts.commitsCompared, 'commit')} of the log` },
    ],
    untested,
  };
}

function damage({ missingFolders, missing, lostCommits, beyondLog, disordered }: StatusFacts): Finding[] {
  return [
    ...missingFolders.map((folder) =>
      finding('status.folder-missing', 'critical', `The folder ${folder} is missing: the server does not start.`, { file: folder }),
    ),
    ...countedFindings(
      missing,
      'status.missing',
      ({ file, pages, from }) => `${file} is missing or short: ${count(pages, 'page')} from number ${from} on are lost.`,
    ),
    ...countedFindings(
      lostCommits,
      'status.lost-commit',
      ({ transaction, file }) =>
        `${file} does not know that transaction ${transaction} was committed, although the log says so and the checkpoint had written it.`,
    ),
    ...countedFindings(
      beyondLog,
      'status.beyond-log',
      ({ transaction, file }) => `${file} says that transaction ${transaction} was committed; the log ends before it began.`,
    ),
    ...countedFindings(
      disordered,
      'status.multixact-order',
      ({ multixact, offset }) => `Multixact ${multixact} has its members at ${offset}, which lies before those of older ones or behind the end.`,
    ),
  ];
}

function doubts({ blank }: StatusFacts): Finding[] {
  const message = ({ file, from }: { file: string; from: number }) => `${file} knows of no transaction from ${from} on, a whole page long, that it ended.`;
  return countedFindings(blank, 'status.blank-page', message).map((item) => ({ ...item, severity: 'warning' }));
}

function untestedOf({ blank }: StatusFacts): UntestedItem[] {
  if (blank.count === 0) return [];
  const why =
    'no transaction in them ended: they were zeroed, or a crash ended one transaction with as many subtransactions (loops with exception blocks do that)';
  return [{ what: count(blank.count, 'page of pg_xact', 'pages of pg_xact'), why, holdsData: true }];
}
