/** What an answer means for what the policy expects. Pure. */
import type { Finding, Judgement, Severity, SqlAnswer, SqlExpectation } from '../../../src/types.js';
import { shortened } from '../targets.js';
import type { SqlEvidence } from './index.js';

const ADVICE =
  'The database opens, but its contents are not what the policy says they must be. See whether the expectation still holds for the live system; if it does, use an older restore point that passed.';
const RESULT_CHARACTERS = 2000;
/** As all engines print numbers. */
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?$/i;

export function judge(evidence: SqlEvidence): Judgement {
  const { expectation, instance, missing, answer } = evidence;
  const problem = missing ?? (answer ? problemOf(expectation, answer) : 'nothing was answered');
  const failed = problem !== null;
  const name = expectation.name ?? shortened(expectation.query);
  const summary = failed ? `Not true: ${name}: ${problem}.` : `True: ${name}: ${said(answer)}, expected ${wanted(expectation)}.`;
  return {
    outcome: failed ? 'fail' : 'pass',
    summary,
    findings: [finding(evidence, failed ? 'critical' : 'info', summary)],
    ...(failed ? { advice: ADVICE } : {}),
    tested: [
      {
        what: `${name} (${instance ?? expectation.engine})`,
        how: `${shortened(expectation.query, 1000)}; asked by ${answer?.how ?? 'nobody: it is not there'}`,
      },
    ],
    untested: [],
  };
}

function finding({ expectation, instance, answer }: SqlEvidence, severity: Severity, message: string): Finding {
  const { query, database } = expectation;
  const result = answer ? shortened(answer.error?.text ?? JSON.stringify(answer.rows), RESULT_CHARACTERS) : '';
  return {
    code: severity === 'info' ? 'application.sql.true' : 'application.sql.false',
    severity,
    message,
    where: {
      ...(instance ? { instance } : {}),
      ...(database ? { database } : {}),
      query,
      expected: wanted(expectation),
      result,
      rows: answer?.rowCount ?? 0,
      seconds: answer?.seconds ?? 0,
    },
  };
}

function problemOf(expectation: SqlExpectation, { error, rows, rowCount }: SqlAnswer): string | null {
  if (error) return error.kind === 'absent' ? `what it asks about is not there (${error.text})` : `the database reports damage (${error.text})`;
  if (expectation.rows !== undefined && rowCount !== expectation.rows) return `it gives ${rowCount} rows, expected ${expectation.rows}`;
  const { equals, atLeast, atMost } = expectation;
  if (equals === undefined && atLeast === undefined && atMost === undefined) return null;
  if (rowCount !== 1 || rows[0]?.length !== 1) return `it gives ${rowCount} rows of ${rows[0]?.length ?? 0} columns, where one value is expected`;
  return problemOfValue(expectation, rows[0][0] ?? null);
}

function problemOfValue({ equals, atLeast, atMost }: SqlExpectation, value: string | null): string | null {
  const shown = value === null ? 'NULL' : shortened(JSON.stringify(value));
  if (equals !== undefined && !isEqual(value, equals)) return `it is ${shown}, expected ${equals === null ? 'NULL' : JSON.stringify(equals)}`;
  if (atLeast === undefined && atMost === undefined) return null;
  if (value === null || !NUMBER.test(value)) return `it is ${shown}, which is no number`;
  if (atLeast !== undefined && Number(value) < atLeast) return `it is ${value}, expected at least ${atLeast}`;
  return atMost !== undefined && Number(value) > atMost ? `it is ${value}, expected at most ${atMost}` : null;
}

/** PostgreSQL prints booleans as t and f, others as 1 and 0. */
function isEqual(value: string | null, equals: NonNullable<SqlExpectation['equals']> | null): boolean {
  if (equals === null || value === null) return value === equals;
  if (typeof equals === 'number') return NUMBER.test(value) && Number(value) === equals;
  if (typeof equals === 'boolean') return (equals ? ['t', 'true', '1'] : ['f', 'false', '0']).includes(value);
  return value === equals;
}

function said(answer: SqlAnswer | null): string {
  const value = answer?.rows[0]?.[0];
  if (answer?.rowCount === 1 && answer.rows[0]?.length === 1)
    return `it is ${value === null || value === undefined ? 'NULL' : shortened(JSON.stringify(value))}`;
  return `it gives ${answer?.rowCount ?? 0} rows`;
}

function wanted({ equals, atLeast, atMost, rows }: SqlExpectation): string {
  const parts = [
    ...(equals === undefined ? [] : [equals === null ? 'NULL' : JSON.stringify(equals)]),
    ...(atLeast === undefined ? [] : [`at least ${atLeast}`]),
    ...(atMost === undefined ? [] : [`at most ${atMost}`]),
    ...(rows === undefined ? [] : [`${rows} rows`]),
  ];
  return parts.join(', ');
}
