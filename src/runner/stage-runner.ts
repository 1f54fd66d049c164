/** Runs one stage of checks after the other on one restore point; what checks of one family share is computed once. */
import type { Check, CheckTarget } from '../check.js';
import type { CheckResult, CheckStage, Inspection, Policy, RestorePoint, SnapshotImage } from '../types.js';
import { runStage } from './run-checks.js';
import type { RunLabs } from './run-labs.js';
import type { StageClock } from './stages.js';

export interface StageRequest {
  restorePoint: RestorePoint;
  policy: Policy;
  checks: Check[];
  signal: AbortSignal;
}

/** Reading may go side by side; what writes to the overlay may not. */
const CONCURRENCY: Record<CheckStage, number> = { image: 2, volume: 1, static: 2, logical: 2, recovery: 1 };

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
      const context = { restorePoint, inspection, labs, signal, progress, once };
      return runStage({ stage, checks, targets, policy, concurrency: CONCURRENCY[stage], blockedBy: null, context });
    });
    this.results.push(...results);
    return results;
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
