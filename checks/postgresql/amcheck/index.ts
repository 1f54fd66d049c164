/** After recovery: every table and index by PostgreSQL's own structure checker. */
import { defineCheck } from '../../../src/check.js';
import { LabError, NotTestedError } from '../../../src/errors.js';
import type { Judgement } from '../../../src/types.js';
import type { EngineRun } from '../engine/parse.js';
import { ENGINE_TIMEOUT_MS, runEngine } from '../engine/run.js';
import { finding, notPostgres } from '../words.js';

type AmcheckEvidence = NonNullable<EngineRun['amcheck']>;

export default defineCheck<AmcheckEvidence, Record<string, never>>({
  id: 'postgresql/amcheck',
  title: 'After recovery every table and index is well-formed, and every row is found by its indexes',
  failureTitle: 'After recovery tables or indexes are damaged',
  description: "Runs the guest's own pg_amcheck (PostgreSQL 14 and later) on all databases, with heapallindexed, parent-check and rootdescend.",
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
    const why = run.answered ? 'the guest has no pg_amcheck (it comes with PostgreSQL 14)' : 'the server did not start';
    throw new NotTestedError({ code: 'postgresql.amcheck.none', message: `Tables and indexes were not walked: ${why}.` });
  },
  evaluate: evaluateAmcheck,
});

/** Exit code 2 tells of damage; any other than 0 that it could not look: https://www.postgresql.org/docs/15/app-pgamcheck.html */
function usable(amcheck: AmcheckEvidence): AmcheckEvidence {
  if (amcheck.code === 0 || amcheck.code === 2) return amcheck;
  const said = amcheck.lines[0] ?? `exit code ${amcheck.code}`;
  if (amcheck.code === 124) throw new LabError({ code: 'postgresql.amcheck.timeout', message: 'pg_amcheck did not finish in time' });
  if (/not available|extension control file/i.test(said)) {
    throw new NotTestedError({
      code: 'postgresql.amcheck.extension',
      message: "Tables and indexes were not walked: the guest's PostgreSQL has no amcheck extension.",
    });
  }
  throw new LabError({ code: 'postgresql.amcheck.failed', message: `pg_amcheck could not do its work: ${said}` });
}

/** pg_amcheck says this of what it cannot check, not of what is damaged. */
const NOT_DAMAGE = /^pg_amcheck: (warning: skipping|notice)|amcheck is not installed|could not load library/i;

export function evaluateAmcheck(amcheck: AmcheckEvidence): Judgement {
  const reports = amcheck.lines.filter((line) => line.trim() !== '' && !NOT_DAMAGE.test(line));
  const failed = reports.length > 0;
  return {
    outcome: failed ? 'fail' : 'pass',
    summary: failed
      ? `pg_amcheck found damage after recovery: ${reports[0]}`
      : `pg_amcheck walked every table and index in ${amcheck.seconds.toFixed(1)} s and found nothing.`,
    findings: reports.slice(0, 10).map((line) => finding('amcheck.report', 'critical', line)),
    ...(failed ? { advice: 'Restore this database from an older restore point; an index alone can also be rebuilt with REINDEX, a table cannot.' } : {}),
    tested: [{ what: 'tables and indexes after recovery', how: 'pg_amcheck --all --heapallindexed --parent-check --rootdescend' }],
    untested: [],
  };
}
