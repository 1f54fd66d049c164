/** What the user sees while it runs: a live list on a terminal, else one line per stage. Only on the stream given, and never a verdict. */
import { DefaultRenderer, Listr, ListrLogger, type ListrTask, ListrTaskState, type ListrTaskWrapper, ProcessOutput } from 'listr2';
import type { Progress, ProgressSink } from '../types.js';
import { visible } from './escape.js';
import { formatBytes, formatBytesOf, formatSeconds } from './units.js';

/** Stages in the order in which they begin. */
export interface StageTitle {
  name: string;
  title: string;
}

export interface ProgressReporter {
  /** For labs and checks: what is happening now. A stage that was not listed is ignored. */
  readonly sink: ProgressSink;
  /** Runs the work of one stage; its error passes through. */
  stage<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Ends the display, also in the middle of a stage. May be called twice. */
  finish(): Promise<void>;
}

type Clock = () => number;

/** @param stream where to show it: standard error, because standard output belongs to the result. */
export function openProgress(stages: StageTitle[], stream: NodeJS.WriteStream, now: Clock = Date.now): ProgressReporter {
  return stream.isTTY && process.env.TERM !== 'dumb' ? new LiveProgress(stages, stream, now) : new PlainProgress(stages, stream, now);
}

/** `312 of 628 MB, 410 MB/s`; empty when no bytes were counted. */
export function describeBytes(progress: Progress, elapsedMs: number): string {
  const { doneBytes, totalBytes } = progress;
  if (doneBytes <= 0 && !totalBytes) return '';
  const amount = totalBytes === null ? formatBytes(doneBytes) : formatBytesOf(doneBytes, totalBytes);
  // A rate over less than this says more about buffers than about the disk.
  return elapsedMs < 200 || doneBytes <= 0 ? amount : `${amount}, ${formatBytes((doneBytes * 1000) / elapsedMs)}/s`;
}

/** Measures from the first report about the same thing. */
class Narrator {
  private readonly begun = new Map<string, number>();
  constructor(private readonly now: Clock) {}

  describe(progress: Progress): string {
    const key = `${progress.stage}\n${progress.what}`;
    const begin = this.begun.get(key) ?? this.now();
    this.begun.set(key, begin);
    const bytes = describeBytes(progress, this.now() - begin);
    return visible(bytes ? `${progress.what}: ${bytes}` : progress.what);
  }
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

/** listr2 shows itself only when *standard output* is a terminal; here it is the stream given that counts. */
class StreamRenderer extends DefaultRenderer {
  static override nonTTY = true;
}

interface Gate {
  opened: Promise<void>;
  open(): void;
}

function gate(): Gate {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

type Task = ListrTaskWrapper<unknown, typeof StreamRenderer, typeof StreamRenderer>;

/** One row of the list. Its task waits until the stage ends; the work itself runs outside of listr2, which swallows errors. */
interface Row {
  title: string;
  ended: Gate;
  state: 'waiting' | 'running' | 'done' | 'stopped';
  begunAt: number;
  tookMs: number;
  task: Task | null;
  text: string;
}

class LiveProgress implements ProgressReporter {
  private readonly rows: Map<string, Row>;
  private readonly narrator: Narrator;
  private readonly shown: Promise<unknown>;

  constructor(
    stages: StageTitle[],
    stream: NodeJS.WriteStream,
    private readonly now: Clock,
  ) {
    this.narrator = new Narrator(now);
    const row = (title: string): Row => ({ title: visible(title), ended: gate(), state: 'waiting', begunAt: 0, tookMs: 0, task: null, text: '' });
    this.rows = new Map(stages.map(({ name, title }) => [name, row(title)]));
    const tasks = [...this.rows.values()].map(
      (one): ListrTask<unknown, typeof StreamRenderer, typeof StreamRenderer> => ({ title: one.title, task: (_context, task) => this.show(one, task as Task) }),
    );
    const list = new Listr<unknown, typeof StreamRenderer, typeof StreamRenderer>(tasks, {
      // Stages overlap: digests are read while checks run.
      concurrent: true,
      exitOnError: false,
      // Signals are handled by the program, which has to clean up first.
      registerSignalListeners: false,
      renderer: StreamRenderer,
      fallbackRenderer: StreamRenderer,
      rendererOptions: {
        collapseErrors: false,
        formatOutput: 'truncate',
        logger: new ListrLogger({ processOutput: new ProcessOutput(stream, stream) }),
      },
    });
    this.shown = list.run().catch(() => undefined);
  }

  readonly sink: ProgressSink = (progress) => {
    const row = this.rows.get(progress.stage);
    if (!row) return;
    row.text = this.narrator.describe(progress);
    this.draw(row);
  };

  async stage<T>(name: string, work: () => Promise<T>): Promise<T> {
    const row = this.rows.get(name);
    if (!row) return work();
    row.state = 'running';
    row.begunAt = this.now();
    this.mark(row, ListrTaskState.STARTED);
    try {
      const value = await work();
      row.state = 'done';
      return value;
    } catch (error) {
      row.state = 'stopped';
      throw error;
    } finally {
      row.tookMs = this.now() - row.begunAt;
      row.ended.open();
    }
  }

  async finish(): Promise<void> {
    for (const row of this.rows.values()) row.ended.open();
    await this.shown;
  }

  /** listr2 takes every row as begun at once; those that wait for their stage are put back. */
  private async show(row: Row, task: Task): Promise<void> {
    row.task = task;
    this.mark(row, row.state === 'waiting' ? ListrTaskState.WAITING : ListrTaskState.STARTED);
    this.draw(row);
    await row.ended.opened;
    const took = formatSeconds(row.tookMs / 1000);
    if (row.state === 'done') task.title = `${row.title} (${took})`;
    else if (row.state === 'stopped') throw new Error(`${row.title}: stopped after ${took}`);
    else task.skip(`${row.title}: not reached`);
  }

  private mark(row: Row, state: ListrTaskState): void {
    if (row.task) row.task.task.state$ = state;
  }

  private draw(row: Row): void {
    if (row.task && row.state !== 'done') row.task.output = row.text;
  }
}
