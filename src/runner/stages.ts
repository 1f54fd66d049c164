/** Names the stages of a run and measures each. */
import type { ProgressSink } from '../types.js';

export class StageClock {
  readonly stages: { name: string; durationMs: number }[] = [];

  constructor(private readonly progress: ProgressSink) {}

  /** Runs one stage; its time counts even when it fails. */
  async run<T>(name: string, what: string, work: (progress: ProgressSink) => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    this.progress({ stage: name, what, doneBytes: 0, totalBytes: null });
    try {
      return await work((progress) => this.progress({ ...progress, stage: name }));
    } finally {
      this.stages.push({ name, durationMs: Math.round(performance.now() - startedAt) });
    }
  }
}
