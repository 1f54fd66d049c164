/** What the user sees while it runs: a live list on a terminal, else one line per stage. Only on the stream given, and never a verdict. */
import type { ProgressSink } from '../types.js';
import { visible } from './escape.js';
import { LiveProgress } from './live-progress.js';
import type { Clock, ProgressReporter, StageTitle } from './progress-types.js';
import { formatSeconds } from './units.js';

/** @param stream where to show it: standard error, because standard output belongs to the result. */
export function openProgress(stages: StageTitle[], stream: NodeJS.WriteStream, now: Clock = Date.now): ProgressReporter {
  return stream.isTTY && process.env.TERM !== 'dumb' ? new LiveProgress(stages, stream, now) : new PlainProgress(stages, stream, now);
}

/** For pipes, logs and cron: when a stage ends, what it was and how long it took. */
class PlainProgress implements ProgressReporter {
  private readonly titles: Map<string, string>;

  constructor(
    stages: StageTitle[],
    private readonly stream: NodeJS.WritableStream,
    private readonly now: Clock,
  ) {
    this.titles = new Map(stages.map(({ name, title }) => [name, title]));
  }

  readonly sink: ProgressSink = () => {};

  async stage<T>(name: string, work: () => Promise<T>): Promise<T> {
    const begin = this.now();
    const title = visible(this.titles.get(name) ?? name);
    try {
      const value = await work();
      this.stream.write(`${title}: done in ${formatSeconds((this.now() - begin) / 1000)}\n`);
      return value;
    } catch (error) {
      this.stream.write(`${title}: stopped after ${formatSeconds((this.now() - begin) / 1000)}\n`);
      throw error;
    }
  }

  async finish(): Promise<void> {}
}
