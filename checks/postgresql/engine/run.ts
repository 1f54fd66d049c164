/** Runs PostgreSQL on a throw-away state of the cluster, once per cluster: recovery and amcheck share the one start. */
import type { CheckContext, CheckTarget } from '../../../src/check.js';
import { parseAnswers, questionsFor, questionsScript, questionsTimeoutMs } from '../../../src/engines/questions.js';
import { LabError, NotTestedError } from '../../../src/errors.js';
import type { DatabaseInstance, SqlAnswer, SqlQuestion } from '../../../src/types.js';
import { readControl } from '../control.js';
import { postgresEngine } from './description.js';
import { type EngineRun, parseEngineRun } from './parse.js';
import { psql } from './questions.js';

const START_TIMEOUT_MS = 30 * 60_000;
/** On software emulation amcheck reads some 15 MB/s. */
const AMCHECK_TIMEOUT_MS = 60 * 60_000;
export const ENGINE_TIMEOUT_MS = START_TIMEOUT_MS + AMCHECK_TIMEOUT_MS + 5 * 60_000;

export type EngineContext = Pick<CheckContext<unknown>, 'inspection' | 'labs' | 'once' | 'progress' | 'questions'>;

export function runEngine(target: CheckTarget, context: EngineContext): Promise<EngineRun> {
  if (target.kind !== 'instance') throw new TypeError('this check looks at database instances');
  return runOnce(target.instance, context);
}

/** The client of this engine, for what the policy expects of the data. */
export async function askCluster(instance: DatabaseInstance, question: SqlQuestion, context: EngineContext): Promise<SqlAnswer> {
  const run = await runOnce(instance, context);
  const answer = run.answers[question.id];
  if (answer) return answer;
  const why = run.problem ?? run.errors[0] ?? run.startSaid.at(-1) ?? 'it says nothing';
  throw new LabError({ code: 'postgresql.ask', message: run.answered ? 'psql gave no answer' : `the server did not come up: ${why}` });
}

function runOnce(instance: DatabaseInstance, context: EngineContext): Promise<EngineRun> {
  return context.once(`postgresql engine ${instance.id}`, () => start(instance, context));
}

async function start(instance: DatabaseInstance, context: EngineContext): Promise<EngineRun> {
  const { labs, inspection, progress } = context;
  const head = await readControl(labs.files, instance);
  if (head.standby || head.archiveRecovery) {
    throw new NotTestedError({
      code: 'postgresql.engine.standby',
      message: 'Recovery was not tried: this is a standby, which waits for a server that is not in this restore point.',
    });
  }
  progress({ stage: 'recovery', what: `PostgreSQL recovers ${instance.location.path}`, doneBytes: 0, totalBytes: null });
  const questions = questionsFor(instance.id, context.questions ?? []);
  const limits = { startTimeoutMs: START_TIMEOUT_MS, amcheckTimeoutMs: AMCHECK_TIMEOUT_MS };
  const description = postgresEngine(instance, { ...limits, questions: questionsScript(questions, psql) });
  const timeoutMs = ENGINE_TIMEOUT_MS + questionsTimeoutMs(questions);
  const { stdout, use } = await labs.engine.run({ description, instance, systems: inspection.systems, timeoutMs, progress });
  return { ...parseEngineRun(stdout, use), answers: parseAnswers(stdout, questions, `psql of ${use.how}`, psql) };
}
