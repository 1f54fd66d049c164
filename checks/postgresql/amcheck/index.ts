/** After recovery: every table and index by PostgreSQL's own structure checker. */
import { defineCheck } from '../../../src/check.js';
import { LabError, NotTestedError } from '../../../src/errors.js';
import type { Judgement, UntestedItem } from '../../../src/types.js';
import type { AmcheckRun } from '../engine/parse.js';
import { ENGINE_TIMEOUT_MS, runEngine } from '../engine/run.js';
import { count, finding, notPostgres } from '../words.js';
import { readReports } from './reports.js';

export default defineCheck<AmcheckRun, Record<string, never>>({
  id: 'postgresql/amcheck',
  title: 'After recovery every table and index is well-formed, and every row is found by its indexes',
  failureTitle: 'After recovery tables or indexes are damaged',
  description:
    'Runs pg_amcheck (PostgreSQL 14 and later) of the engine that recovered the cluster on all databases, with heapallindexed, parent-check and rootdescend.',
  stage: 'recovery',
  depth: 'recovery',
  targetKind: 'instance',
  lab: 'appliance',
  timeoutMs: ENGINE_TIMEOUT_MS,
  optionsSchema: { type: 'object', additionalProperties: false },
  defaultOptions: {},
  skipReason: notPostgres,
  async collect(target, context) {
    const run = await runEngine(target, context);
    if (run.amcheck) return usable(run.amcheck);
    const why = run.answered ? 'the engine has no pg_amcheck (it comes with PostgreSQL 14)' : 'the server did not start';
    throw new NotTestedError({ code: 'postgresql.amcheck.none', message: `Tables and indexes were not walked: ${why}.` });
  },
  evaluate: evaluateAmcheck,
});

/**
 * Exit code 2 tells of damage, 0 of none, any other that it could not finish: https://www.postgresql.org/docs/15/app-pgamcheck.html
 * Damage that it named before it gave up is damage all the same.
 */
export function usable(amcheck: AmcheckRun): AmcheckRun {
  if (amcheck.code === 0 || amcheck.code === 2 || readReports(amcheck).damage.length > 0) return amcheck;
  const said = amcheck.lines.find((line) => /error|FATAL/.test(line)) ?? amcheck.lines[0] ?? `exit code ${amcheck.code}`;
  if (amcheck.code === 124) throw new LabError({ code: 'postgresql.amcheck.timeout', message: 'pg_amcheck did not finish in time' });
  if (/not available|extension control file/i.test(said)) {
    throw new NotTestedError({
      code: 'postgresql.amcheck.extension',
      message: "Tables and indexes were not walked: the guest's PostgreSQL has no amcheck extension.",
    });
  }
  throw new LabError({ code: 'postgresql.amcheck.failed', message: `pg_amcheck could not do its work: ${said}` });
}

export function evaluateAmcheck(amcheck: AmcheckRun): Judgement {
  const { damage, notWalked } = readReports(amcheck);
  const failed = damage.length > 0;
  return {
    outcome: failed ? 'fail' : 'pass',
    summary: failed ? `pg_amcheck found damage after recovery: ${damage[0]}` : success(amcheck, notWalked.length),
    findings: damage.slice(0, 10).map((report) => finding('amcheck.report', 'critical', report)),
    ...(failed ? { advice: 'Restore this database from an older restore point; an index alone can also be rebuilt with REINDEX, a table cannot.' } : {}),
    instanceState: failed ? 'damaged' : amcheck.recovered ? 'recoverable' : 'clean',
    tested: [{ what: 'tables and indexes after recovery', how: 'pg_amcheck --all --heapallindexed --parent-check --rootdescend' }],
    untested: [...notWalked.slice(0, 10), ...closed(amcheck)],
  };
}

function success(amcheck: AmcheckRun, notWalked: number): string {
  const but = notWalked === 0 ? '' : `, but could not walk ${notWalked} of them`;
  return `pg_amcheck walked every table and index in ${amcheck.seconds.toFixed(1)} s and found nothing${but}.`;
}

/** Their pages are judged by the static checks like all others. */
function closed({ closedDatabases }: AmcheckRun): UntestedItem[] {
  if (closedDatabases === 0) return [];
  const what = `tables and indexes of ${count(closedDatabases, 'database')} after recovery`;
  return [{ what, why: 'the guest allows no session there (datallowconn)', holdsData: false }];
}
