/** Progress on a terminal: a live list by listr2, which only draws; no result and no exit code ever comes from it. */
import { DefaultRenderer, Listr, ListrLogger, type ListrTask, ListrTaskState, type ListrTaskWrapper, ProcessOutput } from 'listr2';
import type { ProgressSink } from '../types.js';
import { visible } from './escape.js';
import { Narrator } from './narrator.js';
import type { Clock, ProgressReporter, StageTitle } from './progress-types.js';
import { formatSeconds } from './units.js';

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

export class LiveProgress implements ProgressReporter {
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
