import { defineCheck } from '../../../src/check.js';
import type { Finding, Judgement, UntestedItem } from '../../../src/types.js';
import type { Examples } from '../catalogue-facts.js';
import { soundState } from '../state.js';
import { clusterCatalogue, type StaticEvidence } from '../static-pass.js';
import type { StatusFacts } from '../status-facts.js';
import { count, finding, notPostgres, trustedControl } from '../words.js';

const WHAT = 'the status of transactions';
const ADVICE = 'Restore an earlier restore point: without the status of a transaction its rows cannot be told from rows that were never committed.';

export default defineCheck<StaticEvidence, Record<string, never>>({
  id: 'postgresql/transaction-status',
  title: 'The status of every transaction that rows may ask for is there, and is what the log says',
  failureTitle: 'The status of transactions is missing or wrong',
  description:
    'Looks for the segments of pg_xact, pg_multixact and pg_commit_ts that the control file calls for, and holds pg_xact against the commits in the log.',
  stage: 'static',
  depth: 'static',
  targetKind: 'instance',
  lab: 'none',
  timeoutMs: 3_600_000,
  optionsSchema: { type: 'object', additionalProperties: false },
  defaultOptions: {},
  skipReason: notPostgres,
  collect: async (target, context) => {
    if (target.kind !== 'instance') throw new TypeError('this check looks at database instances');
    return clusterCatalogue(target.instance, context);
  },
  evaluate: evaluateStatus,
});

export function evaluateStatus(evidence: StaticEvidence): Judgement {
  const trusted = trustedControl(evidence.head, WHAT);
  if ('judgement' in trusted) return trusted.judgement;
  const facts = evidence.status;
  if (!facts || facts.unread) return unread(facts?.unread ?? 'it was not read');
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

function unread(why: string): Judgement {
  return {
    outcome: 'pass',
    summary: `Not judged: ${why}.`,
    findings: [],
    instanceState: 'unknown',
    tested: [],
    untested: [{ what: WHAT, why, holdsData: true }],
  };
}

function damage({ missingFolders, missing, lostCommits, beyondLog, disordered }: StatusFacts): Finding[] {
  return [
    ...missingFolders.map((folder) =>
      finding('status.folder-missing', 'critical', `The folder ${folder} is missing: the server does not start.`, { file: folder }),
    ),
    ...told(missing, 'missing', ({ file, pages, from }) => `${file} is missing or short: ${count(pages, 'page')} from number ${from} on are lost.`),
    ...told(
      lostCommits,
      'lost-commit',
      ({ transaction, file }) =>
        `${file} does not know that transaction ${transaction} was committed, although the log says so and the checkpoint had written it.`,
    ),
    ...told(beyondLog, 'beyond-log', ({ transaction, file }) => `${file} says that transaction ${transaction} was committed; the log ends before it began.`),
    ...told(
      disordered,
      'multixact-order',
      ({ multixact, offset }) => `Multixact ${multixact} has its members at ${offset}, which lies before those of older ones or behind the end.`,
    ),
  ];
}

function doubts({ blank }: StatusFacts): Finding[] {
  const message = ({ file, from }: { file: string; from: number }) => `${file} knows of no transaction from ${from} on, a whole page long, that it ended.`;
  return told(blank, 'blank-page', message).map((item) => ({ ...item, severity: 'warning' }));
}

/** One finding per example; when there are more, the first of them says how many. */
function told<T extends object>({ count: total, examples }: Examples<T>, code: string, message: (example: T) => string): Finding[] {
  const more = total > 1 ? ` (${total} in all)` : '';
  return examples.map((example, i) => finding(`status.${code}`, 'critical', message(example) + (i === 0 ? more : ''), { ...example } as Finding['where']));
}

function untestedOf({ blank }: StatusFacts): UntestedItem[] {
  if (blank.count === 0) return [];
  const why =
    'no transaction in them ended: they were zeroed, or a crash ended one transaction with as many subtransactions (loops with exception blocks do that)';
  return [{ what: count(blank.count, 'page of pg_xact', 'pages of pg_xact'), why, holdsData: true }];
}
