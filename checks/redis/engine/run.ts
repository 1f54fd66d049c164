/** Runs Redis or Valkey on a throw-away state of the instance. */
import { type CheckContext, type CheckTarget, instanceOf } from '../../../src/check.js';
import { NotTestedError } from '../../../src/errors.js';

import { redisEngine } from './description.js';
import { type EngineRun, parseEngineRun } from './parse.js';
import { whatToLoad } from './what-to-load.js';

const START_TIMEOUT_MS = 60 * 60_000;
const CHECK_TIMEOUT_MS = 20 * 60_000;
export const ENGINE_TIMEOUT_MS = START_TIMEOUT_MS + CHECK_TIMEOUT_MS + 10 * 60_000;

export type EngineContext = Pick<CheckContext<unknown>, 'inspection' | 'labs' | 'progress'>;

/** @throws NotTestedError when it cannot be told what a server would load, or there is no engine for it. */
export async function runEngine(target: CheckTarget, { labs, inspection, progress }: EngineContext): Promise<EngineRun> {
  const instance = instanceOf(target);
  const choice = await whatToLoad(instance, labs.files);
  if (typeof choice === 'string') throw new NotTestedError({ code: 'redis.engine.choice', message: `Recovery was not tried: ${choice}.` });
  progress({ stage: 'recovery', what: `Redis loads ${instance.location.path}`, doneBytes: 0, totalBytes: null });
  const description = redisEngine(choice, { startTimeoutMs: START_TIMEOUT_MS, checkTimeoutMs: CHECK_TIMEOUT_MS });
  const { stdout, use } = await labs.engine.run({ description, instance, systems: inspection.systems, timeoutMs: ENGINE_TIMEOUT_MS, progress });
  return parseEngineRun(stdout, choice.load, { use, warning: choice.warning });
}
