/**
 * The check that all engines have which recover their data: start the engine on a throw-away state, see whether it comes up, read its log.
 * An engine adds how it is run and how its answer reads (`RecoveryStory`); what follows from that is the same for all.
 */
import { type Check, type CheckContext, type CheckTarget, defineCheck } from '../check.js';
import { LabError, NotTestedError } from '../errors.js';
import type { EngineUse } from '../labs/lab.js';
import type { Finding, InstanceState, Judgement, RecoveryEffort } from '../types.js';
import { placeOf } from './answer.js';

/** What one run of an engine came to. */
export interface RecoveryStory {
  /** It came up and answered a client. Exit codes are never judged. */
  up: boolean;
  /** It ended when it was asked to. */
  stopped: boolean;
  /** Lines of its log about the data, the most telling first. Any of them is a failure. */
  damage: string[];
  /** What else it complained of: told when it did not come up. */
  others: string[];
  /** Why it could not be tried here, which says nothing of the data: memory, rights, a library, another version. */
  place: string | null;
  /** Told when it did not come up and its log is empty. */
  lastWords: string | null;
  /** Of the instance, as far as this run saw it. */
  state: InstanceState;
  recovery: RecoveryEffort;
  /** A sentence for when it came up. */
  success: string;
  /** Besides those about its use and its stop. */
  findings: Finding[];
  /** What the program says of its version. */
  version: string;
  use: EngineUse | null;
}

export interface RecoveringEngine<Run> {
  /** Of the check's id and of all codes. */
  family: string;
  /** For people: `PostgreSQL`. */
  name: string;
  title: string;
  failureTitle: string;
  description: string;
  advice: string;
  timeoutMs: number;
  skipReason(target: CheckTarget): string | null;
  /** Runs the engine, once for all checks that ask. */
  run(target: CheckTarget, context: CheckContext<unknown>): Promise<Run>;
  /** Pure: the run may be saved evidence. */
  tell(run: Run): RecoveryStory;
}

export interface RecoveryCheck<Run> {
  check: Check<Run, Record<string, never>>;
  /** @throws LabError or NotTestedError when it did not come up for a reason that lies in this place, not in the data. */
  tried(run: Run): Run;
  evaluate(run: Run): Judgement;
}

export function recoveryCheck<Run>(engine: RecoveringEngine<Run>): RecoveryCheck<Run> {
  const { title, failureTitle, description, timeoutMs, skipReason } = engine;
  const tried = (run: Run) => assertTried(engine, run);
  const evaluate = (run: Run) => judge(engine, engine.tell(run));
  const check = defineCheck<Run, Record<string, never>>({
    ...{ id: `${engine.family}/recovery`, title, failureTitle, description, timeoutMs, skipReason, evaluate },
    ...{ stage: 'recovery', depth: 'recovery', targetKind: 'instance', lab: 'appliance' },
    ...{ optionsSchema: { type: 'object', additionalProperties: false }, defaultOptions: {} },
    collect: async (target, context) => tried(await engine.run(target, context)),
  });
  return { check, tried, evaluate };
}

function assertTried<Run>(engine: RecoveringEngine<Run>, run: Run): Run {
  const { up, damage, place, use } = engine.tell(run);
  if (up || damage.length > 0 || place === null) return run;
  const host = use?.engine === 'host';
  const message = `${host ? "The host's" : "The guest's"} ${engine.name} could not be tried here: ${place}.`;
  // The host's is a stand-in: that it does not fit (a locale, a library, a version) leaves the instance as it was judged without it.
  if (host) throw new NotTestedError({ code: `${engine.family}.engine.host`, message });
  throw new LabError({ code: `${engine.family}.engine.place`, message });
}

function judge<Run>({ family, name, advice }: RecoveringEngine<Run>, story: RecoveryStory): Judgement {
  const { up, damage, others, lastWords, use } = story;
  const failed = !up || damage.length > 0;
  const first = damage[0] ?? others[0] ?? lastWords ?? 'its log says nothing';
  const lines = [...damage, ...(up ? [] : others)].slice(0, 5);
  const finding = (code: string, severity: Finding['severity'], message: string, where: Finding['where'] = {}): Finding => ({
    ...{ code: `${family}.recovery.${code}`, severity, message, where },
  });
  return {
    outcome: failed ? 'fail' : 'pass',
    summary: failed ? (up ? `${name} started, but it reports damage: ${first}` : `${name} does not start on this backup: ${first}`) : story.success,
    findings: [
      ...(use ? [finding('engine', 'info', `Recovered by ${use.how}. ${use.why}`, { engine: use.engine, copiedBytes: use.copiedBytes })] : []),
      ...story.findings,
      ...(failed ? lines.map((line) => finding('log', 'critical', line)) : []),
      ...(up && !story.stopped ? [finding('stop', 'warning', 'The server answered, but did not stop within two minutes and was ended the hard way.')] : []),
    ],
    ...(failed ? { advice } : {}),
    ...(up ? { recovery: story.recovery } : {}),
    instanceState: story.state,
    tested: [{ what: 'recovery by the engine', how: `${story.version}, started without network: ${placeOf(use)}` }],
    untested: [],
  };
}
