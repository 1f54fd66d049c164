/** Check `application/sql`: see README.md beside this file. */
import { type CheckContext, defineCheck, type ExpectationTarget } from '../../../src/check.js';
import { LabError, NotTestedError } from '../../../src/errors.js';
import type { SqlAnswer, SqlExpectation } from '../../../src/types.js';
import { targetOf } from '../targets.js';
import { judge } from './judge.js';

export interface SqlEvidence {
  expectation: SqlExpectation;
  /** Id of the instance; null when it is not there. */
  instance: string | null;
  /** Why it is not there although everything was looked at. */
  missing: string | null;
  answer: SqlAnswer | null;
}

const TIMEOUT_MS = 3 * 3_600_000;

export default defineCheck<SqlEvidence, Record<string, never>>({
  id: 'application/sql',
  title: 'The data answer a query as the policy says they must',
  failureTitle: 'The data do not answer as the policy says they must',
  description:
    'Puts each query of the policy to the recovered database with its own client, read-only and with a time limit, and holds the answer against what is expected.',
  stage: 'recovery',
  depth: 'recovery',
  targetKind: 'expectation',
  lab: 'appliance',
  timeoutMs: TIMEOUT_MS,
  optionsSchema: { type: 'object', additionalProperties: false },
  defaultOptions: {},
  skipReason: (target) => (target.kind === 'expectation' && !('file' in target.expectation) ? null : 'it is no query'),
  collect: (target, context) => collect(targetOf(target), context),
  evaluate: judge,
});

/** @throws LabError for whatever leaves the question open: what could not be asked is neither true nor false. */
async function collect({ id, expectation, instance }: ExpectationTarget, context: CheckContext<unknown>): Promise<SqlEvidence> {
  if ('file' in expectation) throw new TypeError('this check asks queries');
  if (!instance || !context.ask) throw open('no engine was found for it');
  if ('missing' in instance) {
    if (!instance.sure) throw open(instance.missing);
    return { expectation, instance: null, missing: instance.missing, answer: null };
  }
  const question = context.questions?.find((candidate) => candidate.id === id);
  if (!question) throw open('its question was lost');
  const answer = await context.ask(instance, question).catch((error) => {
    throw error instanceof NotTestedError ? open(error.message.replace(/\.$/, '')) : error;
  });
  assertDecided(expectation, answer);
  return { expectation, instance: instance.id, missing: null, answer };
}

/** An answer that was cut off, or an error that says nothing of the data, decides nothing. */
function assertDecided({ rows }: SqlExpectation, { error, truncated, rowCount }: SqlAnswer): void {
  if (error?.kind === 'timeout') throw open(`it did not finish in time: ${error.text}`);
  if (error?.kind === 'statement') throw open(error.text);
  if (error === null && truncated && !(rows !== undefined && rowCount > rows) && (rows !== undefined || rowCount <= 1)) {
    throw open('its answer is too large to be read to its end');
  }
}

function open(why: string): LabError {
  return new LabError({ code: 'application.sql.open', message: `the query was not answered: ${why}.` });
}
