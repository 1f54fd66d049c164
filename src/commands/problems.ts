/** What went wrong, as text and as an exit code; and a place to keep it while what was achieved is still brought home. */
import { EXIT, type ExitCode, SnapproofError } from '../errors.js';
import { visible } from '../reporters/escape.js';

/** One clear message: what, and what to do; the trace only where it is our own mistake. Ends with a line feed. */
export function problemText(error: unknown): string {
  if (error instanceof SnapproofError) return `snapproof: ${visible(error.message)}\n${error.advice ? `${visible(error.advice)}\n` : ''}`;
  if (isOfSystem(error)) return `snapproof: the system refused: ${visible(error.message)}\n`;
  return `snapproof: this should not have happened: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`;
}

export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof SnapproofError ? error.exitCode : EXIT.tool;
}

/** A full disk, a missing permission: the message of the system says what and where. */
function isOfSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string';
}

/** Keeps errors until the results are out: a ledger that cannot be written must not cost the verdict. */
export class KeptErrors {
  private readonly kept: unknown[] = [];

  /** What `work` gives; null when it failed, which is kept. */
  async keep<T>(work: () => T | Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      this.kept.push(error);
      return null;
    }
  }

  /** @throws the one with the highest exit code, after all others were handed to `tell`. */
  throwWorst(tell: (text: string) => void): void {
    const worst = this.kept.reduce((a, b) => (exitCodeOf(b) > exitCodeOf(a) ? b : a), this.kept[0]);
    for (const error of this.kept) if (error !== worst) tell(problemText(error));
    if (worst !== undefined) throw worst;
  }
}
