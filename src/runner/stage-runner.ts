/** Runs one stage of checks after the other on one restore point; what checks of one family share is computed once. */
import type { Check, CheckContext, CheckTarget, EngineFinder } from '../check.js';
import { NotTestedError } from '../errors.js';
import type { CheckResult, CheckStage, DatabaseInstance, Inspection, Policy, RestorePoint, SnapshotImage, SqlAnswer, SqlQuestion } from '../types.js';
import type { Way } from '../ways.js';
import { questionsOf } from './expectations.js';
import { depthReaches, runStage } from './run-checks.js';
import type { RunLabs } from './run-labs.js';
import type { StageClock } from './stages.js';

export interface StageRequest {
  restorePoint: RestorePoint;
  policy: Policy;
  checks: Check[];
  finders: EngineFinder[];
  signal: AbortSignal;
}

type StageContext = Omit<CheckContext<unknown>, 'options'>;

/** Reading may go side by side, and so may what writes to volumes of its own; engines may not. */
const CONCURRENCY: Record<CheckStage, number> = { image: 2, volume: 2, static: 2, memory: 1, logical: 2, recovery: 1, life: 1 };

export class StageRunner {
  /** What was judged so far: it stays when a later stage cannot run. */
  readonly results: CheckResult[] = [];
  private readonly shared = new Map<string, Promise<unknown>>();

  constructor(
    private readonly request: StageRequest,
    private readonly labs: RunLabs,
    private readonly clock: StageClock,
  ) {}

  /** Results of this stage alone; they are kept in `results` too. */
  async run(stage: CheckStage, inspection: Inspection, targets: CheckTarget[]): Promise<CheckResult[]> {
    const { restorePoint, policy, checks, signal } = this.request;
    const { labs, once } = this;
    const results = await this.clock.run(stage, (progress) => {
      const questions = questionsOf(targets);
      const context: StageContext = { restorePoint, inspection, labs, signal, progress, once, questions, services: policy.services };
      context.ask = (instance, question) => this.ask(instance, question, context);
      return runStage({ stage, checks, targets, policy, concurrency: CONCURRENCY[stage], blockedBy: null, context });
    });
    this.results.push(...results);
    return results;
  }

  private async ask(instance: DatabaseInstance, question: SqlQuestion, context: StageContext): Promise<SqlAnswer> {
    const finder = this.request.finders.find(({ engine }) => engine === instance.engine);
    if (finder?.ask) return finder.ask(instance, question, { ...context, options: {} });
    throw new NotTestedError({ code: 'ask.engine', message: `snapproof cannot ask a database of the engine ${instance.engine} yet.` });
  }

  private readonly once = <T>(key: string, work: () => Promise<T>): Promise<T> => {
    if (!this.shared.has(key)) this.shared.set(key, work());
    return this.shared.get(key) as Promise<T>;
  };
}

export function imageTargets(images: SnapshotImage[]): CheckTarget[] {
  return images.map((image) => ({ kind: 'image', id: image.name, image }));
}

export function volumeTargets(inspection: Inspection): CheckTarget[] {
  return inspection.volumes.map((volume) => ({ kind: 'volume', id: volume.id, volume }));
}

export function instanceTargets(inspection: Inspection): CheckTarget[] {
  return inspection.databases.map((instance) => ({ kind: 'instance', id: instance.id, instance }));
}

/** The saved memory, and the databases that may stand in it; none without memory. */
export function memoryTargets({ memory }: RestorePoint, inspection: Inspection): CheckTarget[] {
  return memory ? [{ kind: 'memory', id: 'memory', path: memory.path }, ...instanceTargets(inspection)] : [];
}

/** The ways back that the policy asks for and that there are. */
export function wayTargets({ memory }: RestorePoint, { depth }: Policy): CheckTarget[] {
  const ways: Way[] = memory ? ['resume', 'boot'] : ['boot'];
  return ways.filter((way) => depthReaches(depth, way)).map((way) => ({ kind: 'way', id: way, way }));
}
