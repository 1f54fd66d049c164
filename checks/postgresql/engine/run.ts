/** Runs the guest's own PostgreSQL on the overlay, once per cluster: recovery and amcheck share the one start. */
import type { CheckContext, CheckTarget } from '../../../src/check.js';
import { LabError, NotTestedError } from '../../../src/errors.js';
import type { DatabaseInstance } from '../../../src/types.js';
import { readControl } from '../control.js';
import { type EngineRun, parseEngineRun } from './parse.js';
import { findEngine } from './place.js';
import { engineScript } from './script.js';

const START_TIMEOUT_MS = 30 * 60_000;
/** On software emulation amcheck reads some 15 MB/s. */
const AMCHECK_TIMEOUT_MS = 60 * 60_000;
export const ENGINE_TIMEOUT_MS = START_TIMEOUT_MS + AMCHECK_TIMEOUT_MS + 5 * 60_000;

export type EngineContext = Pick<CheckContext<unknown>, 'inspection' | 'labs' | 'once' | 'progress'>;

export function runEngine(target: CheckTarget, context: EngineContext): Promise<EngineRun> {
  if (target.kind !== 'instance') throw new TypeError('this check looks at database instances');
  const { instance } = target;
  return context.once(`postgresql engine ${instance.id}`, () => start(instance, context));
}

async function start(instance: DatabaseInstance, context: EngineContext): Promise<EngineRun> {
  const { labs, inspection } = context;
  const place = await findEngine(instance, inspection, labs.files);
  const head = await readControl(labs.files, instance);
  if (head.standby || head.archiveRecovery) {
    throw new NotTestedError({
      code: 'postgresql.engine.standby',
      message: 'Recovery was not tried: this is a standby, which waits for a server that is not in this restore point.',
    });
  }
  context.progress({ stage: 'recovery', what: `the guest's own PostgreSQL recovers ${place.dataFolder}`, doneBytes: 0, totalBytes: null });
  const appliance = await labs.appliance();
  await appliance.mountSystem(place.system.mounts, 'writable');
  try {
    const script = engineScript(place, { startTimeoutMs: START_TIMEOUT_MS, amcheckTimeoutMs: AMCHECK_TIMEOUT_MS });
    const result = await appliance.guestScript(script, { timeoutMs: ENGINE_TIMEOUT_MS });
    if (result.timedOut) throw new LabError({ code: 'postgresql.engine.timeout', message: "the guest's PostgreSQL did not come to an end in time" });
    if (!result.stdout.includes('@@'))
      throw new LabError({ code: 'postgresql.engine.silent', message: `the guest's programs could not be run: ${result.stderr.trim().slice(0, 400)}` });
    return parseEngineRun(result.stdout);
  } finally {
    await appliance.unmountAll();
  }
}
