/** What was found in pg_xact, pg_multixact and pg_commit_ts. Plain data, small enough to be kept as evidence. */
import type { Examples } from '../examples.js';

/** Pages that must be there and are not, in one segment. */
export interface MissingPages {
  file: string;
  pages: number;
  /** The first transaction or multixact (of members: the first member) that is lost. */
  from: number;
}

export interface StatusFacts {
  /** Why nothing was judged; null: it was. */
  unread: string | null;
  /** Pages that must be there. */
  pages: number;
  missingFolders: string[];
  missing: Examples<MissingPages>;
  /** Commits in the log before redo, and how many of them were held against pg_xact. */
  commitsCompared: number;
  /** Of those, the ones that pg_xact does not know. */
  lostCommits: Examples<{ transaction: number; file: string }>;
  /** Committed by pg_xact, although the log never got to that transaction. */
  beyondLog: Examples<{ transaction: number; file: string }>;
  /** Pages of 32768 transactions of which none ended. */
  blank: Examples<{ file: string; page: number; from: number }>;
  /** Multixacts whose members do not lie behind those of the one before. */
  disordered: Examples<{ multixact: number; offset: number; before: number }>;
}
