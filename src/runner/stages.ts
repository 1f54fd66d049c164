/** Names the stages of a run and measures each. */
import type { ProgressSink } from '../types.js';

/** Who watches a run: told what happens in a stage, and when it begins and ends. */
export interface Observer {
  sink: ProgressSink;
  stage<T>(name: string, work: () => Promise<T>): Promise<T>;
}

/** The stages of one verification in the order in which they begin. */
export const STAGES = [
  { name: 'images', title: 'Read the headers of the images' },
  { name: 'expose', title: 'Open the disks on throw-away overlays' },
  { name: 'image', title: 'Check the images' },
  { name: 'volumes', title: 'Read partitions and file systems as captured' },
  { name: 'appliance', title: 'Start the appliance' },
  { name: 'volume', title: 'Replay and check the file systems' },
  { name: 'inspect', title: 'Look for systems and databases' },
  { name: 'static', title: 'Read the databases and their logs' },
  { name: 'memory', title: 'Read the saved memory' },
  { name: 'logical', title: 'Check the data with the database programs' },
  { name: 'recovery', title: 'Recover the databases on the overlay' },
  { name: 'life', title: 'Bring the machine back, and see whether it lives' },
  { name: 'afterwards', title: 'Verify what the machine left on its disks' },
  { name: 'digests', title: 'Digest every file' },
  { name: 'cleanup', title: 'Close the labs and remove what was written' },
] as const;

export type StageName = (typeof STAGES)[number]['name'];

export class StageClock {
  readonly stages: { name: string; durationMs: number }[] = [];

  constructor(private readonly observer: Observer) {}

  /** Runs one stage; its time counts even when it fails. */
  async run<T>(name: StageName, work: (progress: ProgressSink) => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    try {
      return await this.observer.stage(name, () => work((progress) => this.observer.sink({ ...progress, stage: name })));
    } finally {
      this.stages.push({ name, durationMs: Math.round(performance.now() - startedAt) });
    }
  }
}
