/** Every error a user can meet: what, where, why, what to do; and the exit code of the contract. */

export const EXIT = { passed: 0, failed: 1, usage: 2, inconclusive: 3, tool: 4, ledger: 5, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface ErrorDetails {
  /** Stable, dotted, lower case: `image.chain.cyclic`. */
  code: string;
  /** What went wrong and where. */
  message: string;
  /** What the user can do about it. */
  advice?: string;
  cause?: unknown;
}

export abstract class SnapproofError extends Error {
  abstract readonly exitCode: ExitCode;
  readonly code: string;
  readonly advice: string;

  constructor(details: ErrorDetails) {
    super(details.message, { cause: details.cause });
    this.name = new.target.name;
    this.code = details.code;
    this.advice = details.advice ?? '';
  }
}

/** Wrong argument, policy or manifest: nothing was started. */
export class UsageError extends SnapproofError {
  readonly exitCode = EXIT.usage;
}

/** A host tool is missing or unusable: the message names it and the command that installs it. */
export class MissingToolError extends SnapproofError {
  readonly exitCode = EXIT.tool;
}

/** A lab could not do what it was asked; a check that meets it becomes `error`. */
export class LabError extends SnapproofError {
  readonly exitCode = EXIT.tool;
}

/**
 * `collect` found that nothing here can test this: the runner makes it a `skip`, listed as untested with this reason.
 * Not for what went wrong: that is a LabError.
 */
export class NotTestedError extends SnapproofError {
  readonly exitCode = EXIT.inconclusive;
}

/** The ledger or evidence does not verify, or cannot be written. */
export class LedgerError extends SnapproofError {
  readonly exitCode = EXIT.ledger;
}

/** Bytes that do not have the shape their format promises. Parsers throw this and nothing else. */
export class FormatError extends SnapproofError {
  readonly exitCode = EXIT.tool;
}

export class InterruptedError extends SnapproofError {
  readonly exitCode = EXIT.interrupted;
}
