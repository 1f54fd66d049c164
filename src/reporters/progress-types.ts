/** What a display of progress offers, whichever it is. */
import type { ProgressSink } from '../types.js';

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

/** Milliseconds, from any beginning. */
export type Clock = () => number;
