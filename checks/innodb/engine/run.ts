/** Runs MariaDB on a throw-away state of the instance, once: recovery and check-table share the one start. */
import type { CheckContext, CheckTarget } from '../../../src/check.js';
import { parseAnswers, questionsFor, questionsScript, questionsTimeoutMs } from '../../../src/engines/questions.js';
import { LabError, NotTestedError } from '../../../src/errors.js';
import type { DatabaseInstance, SqlAnswer, SqlQuestion } from '../../../src/types.js';
import { mariadbEngine } from './description.js';
import { type EngineRun, parseEngineRun } from './parse.js';
import { mariadbClient } from './questions.js';
import { PARTS } from './script.js';

const START_TIMEOUT_MS = 30 * 60_000;
const CHECK_TIMEOUT_MS = 60 * 60_000;
export const ENGINE_TIMEOUT_MS = START_TIMEOUT_MS + CHECK_TIMEOUT_MS + 10 * 60_000;

export type EngineContext = Pick<CheckContext<unknown>, 'inspection' | 'labs' | 'once' | 'progress' | 'questions'>;

/** @throws NotTestedError for what is no whole instance of MariaDB. */
export function runEngine(target: CheckTarget, context: EngineContext): Promise<EngineRun> {
  if (target.kind !== 'instance') throw new TypeError('this check looks at database instances');
  return runOnce(target.instance, context);
}

/** The client of this engine, for what the policy expects of the data. */
export async function askServer(instance: DatabaseInstance, question: SqlQuestion, context: EngineContext): Promise<SqlAnswer> {
  const run = await runOnce(instance, context);
  const answer = run.answers?.[question.id];
  if (answer) return answer;
  const why = run.problem ?? run.errors[0] ?? 'it says nothing';
  throw new LabError({ code: 'innodb.ask', message: run.up ? 'the client gave no answer' : `the server did not come up: ${why}` });
}

function runOnce(instance: DatabaseInstance, context: EngineContext): Promise<EngineRun> {
  return context.once(`innodb engine ${instance.id}`, () => start(instance, context));
}

async function start(instance: DatabaseInstance, context: EngineContext): Promise<EngineRun> {
  const why = whyNot(instance);
  if (why) throw untested(why);
  const { labs, inspection, progress } = context;
  progress({ stage: 'recovery', what: `MariaDB recovers ${instance.location.path}`, doneBytes: 0, totalBytes: null });
  const questions = questionsFor(instance.id, context.questions ?? []);
  const limits = { startTimeoutMs: START_TIMEOUT_MS, checkTimeoutMs: CHECK_TIMEOUT_MS };
  const description = mariadbEngine(instance, { ...limits, questions: questionsScript(questions, mariadbClient) });
  const timeoutMs = ENGINE_TIMEOUT_MS + questionsTimeoutMs(questions);
  const { stdout, use } = await labs.engine.run({ description, instance, systems: inspection.systems, timeoutMs, progress });
  const elsewhere = instance.links.find(({ what }) => !PARTS.includes(what));
  // Their places are written in link files, as the guest sees them: no copy has them there.
  if (use.engine === 'host' && elsewhere)
    throw untested(`tables lie in folders of their own (DATA DIRECTORY, such as ${elsewhere.what}), which a copy for the host's engine does not reproduce`);
  return { ...parseEngineRun(stdout, use), answers: parseAnswers(stdout, questions, `the client of ${use.how}`, mariadbClient) };
}

function whyNot({ facts, links }: DatabaseInstance): string | null {
  if (facts.kind !== 'directory') return 'these are parts of an instance, without its data directory';
  if (facts.family !== 'mariadb')
    return facts.family === 'mysql' ? 'there is no way yet to start MySQL' : 'its files do not tell whether it is MariaDB or MySQL';
  if (facts.backupFolder === true) return 'this is the folder of a backup (mariabackup), which must be prepared before a server may open it';
  const lost = links.find(({ location }) => location === null);
  return lost ? `${lost.what} (${lost.target}) is not in this restore point` : null;
}

function untested(why: string): NotTestedError {
  return new NotTestedError({ code: 'innodb.engine.none', message: `Recovery was not tried: ${why}.` });
}
