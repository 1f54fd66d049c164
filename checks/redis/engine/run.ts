/** Runs Redis or Valkey on a throw-away state of the instance, once: recovery and the questions of the policy share the one start. */
import { type CheckContext, type CheckTarget, instanceOf } from '../../../src/check.js';
import { parseAnswers, questionsFor, questionsScript, questionsTimeoutMs } from '../../../src/engines/questions.js';
import { LabError, NotTestedError } from '../../../src/errors.js';
import type { DatabaseInstance, SqlAnswer, SqlQuestion } from '../../../src/types.js';
import { redisEngine } from './description.js';
import { type EngineRun, parseEngineRun } from './parse.js';
import { forShell, redisClient } from './questions.js';
import { whatToLoad } from './what-to-load.js';

const START_TIMEOUT_MS = 60 * 60_000;
const CHECK_TIMEOUT_MS = 20 * 60_000;
export const ENGINE_TIMEOUT_MS = START_TIMEOUT_MS + CHECK_TIMEOUT_MS + 10 * 60_000;

export type EngineContext = Pick<CheckContext<unknown>, 'inspection' | 'labs' | 'once' | 'progress' | 'questions'>;

/** @throws NotTestedError when it cannot be told what a server would load, or there is no engine for it. */
export function runEngine(target: CheckTarget, context: EngineContext): Promise<EngineRun> {
  return runOnce(instanceOf(target), context);
}

/** The client of this engine, for what the policy expects of the data. */
export async function askServer(instance: DatabaseInstance, question: SqlQuestion, context: EngineContext): Promise<SqlAnswer> {
  const refused = refusalOf(question);
  if (refused !== null) throw new NotTestedError({ code: 'redis.ask.command', message: `${refused}.` });
  const run = await runOnce(instance, context);
  const answer = run.answers?.[question.id];
  if (answer) return answer;
  const why = run.problem ?? run.errors[0] ?? 'it says nothing';
  throw new LabError({ code: 'redis.ask', message: run.up ? 'the client gave no answer' : `the server did not come up: ${why}` });
}

/** Why it is not put to the server; null when it is. */
function refusalOf(question: SqlQuestion): string | null {
  try {
    forShell(question);
    return null;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return error.message;
  }
}

function runOnce(instance: DatabaseInstance, context: EngineContext): Promise<EngineRun> {
  return context.once(`redis engine ${instance.id}`, () => start(instance, context));
}

async function start(instance: DatabaseInstance, context: EngineContext): Promise<EngineRun> {
  const { labs, inspection, progress } = context;
  const choice = await whatToLoad(instance, labs.files);
  if (typeof choice === 'string') throw new NotTestedError({ code: 'redis.engine.choice', message: `Recovery was not tried: ${choice}.` });
  progress({ stage: 'recovery', what: `Redis loads ${instance.location.path}`, doneBytes: 0, totalBytes: null });
  const asked = (context.questions ?? []).filter((question) => refusalOf(question) === null).map(forShell);
  const questions = questionsFor(instance.id, asked);
  const limits = { startTimeoutMs: START_TIMEOUT_MS, checkTimeoutMs: CHECK_TIMEOUT_MS };
  const description = redisEngine(choice, { ...limits, questions: questionsScript(questions, redisClient) });
  const timeoutMs = ENGINE_TIMEOUT_MS + questionsTimeoutMs(questions);
  const { stdout, use } = await labs.engine.run({ description, instance, systems: inspection.systems, timeoutMs, progress });
  const run = parseEngineRun(stdout, choice.load, { use, warning: choice.warning });
  return { ...run, answers: parseAnswers(stdout, questions, `the client of ${use.how}`, redisClient) };
}
