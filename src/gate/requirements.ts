/** What a proof must be for the gate to open. */
import { UsageError } from '../errors.js';
import type { Consistency, Depth } from '../types.js';
import { parseDuration } from './duration.js';

export interface Requirements {
  /** Of the proof, counted from the beginning of its verification; null: any. */
  maxAgeMs: number | null;
  /** Of the backup, counted from the moment it was taken; null: any. */
  maxBackupAgeMs: number | null;
  /** The least consistency that was really there; null: any. */
  consistency: Consistency | null;
  /** What the verification must really have done; null: any. */
  depth: Depth | null;
  /** A database whose recovery could not be tested does not stand against the depth. */
  acceptUntestedRecovery: boolean;
  /** The record must carry a signature with a key that counts. */
  signature: boolean;
}

/** As the command line gives them. */
export interface RequirementOptions {
  maxAge?: string | undefined;
  maxBackupAge?: string | undefined;
  require?: string | undefined;
  depth?: string | undefined;
  acceptUntestedRecovery?: boolean | undefined;
  requireSignature?: boolean | undefined;
  key?: string | undefined;
}

/** Weakest first. `unknown` proves none of them. */
export const CONSISTENCIES: readonly Consistency[] = ['crash', 'filesystem', 'application'];
export const DEPTHS: readonly Depth[] = ['static', 'recovery', 'boot', 'resume', 'full'];

/** @throws UsageError */
export function toRequirements(options: RequirementOptions): Requirements {
  return {
    maxAgeMs: options.maxAge === undefined ? null : parseDuration(options.maxAge, '--max-age'),
    maxBackupAgeMs: options.maxBackupAge === undefined ? null : parseDuration(options.maxBackupAge, '--max-backup-age'),
    consistency: options.require === undefined ? null : oneOf(options.require, CONSISTENCIES, '--require'),
    depth: options.depth === undefined ? null : oneOf(options.depth, DEPTHS, '--depth'),
    acceptUntestedRecovery: options.acceptUntestedRecovery ?? false,
    signature: (options.requireSignature ?? false) || options.key !== undefined,
  };
}

function oneOf<T extends string>(word: string, known: readonly T[], option: string): T {
  const found = known.find((one) => one === word);
  if (found !== undefined) return found;
  throw new UsageError({ code: 'usage.choice', message: `${option} knows ${known.join(', ')}, not "${word}".` });
}
