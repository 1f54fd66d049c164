/** What a redo log says of itself. Plain data, kept as evidence. LSNs are bytes. */
export interface LogFacts {
  checkpoint: number;
  /** Where the record of this checkpoint lies: the log must reach it. */
  checkpointEnd: number;
  checkpointSeen: boolean;
  /** End of the last valid piece of log. */
  end: number;
  /** The end is known to the byte; else to the block, and pages may be newer by less than one. */
  exactEnd: boolean;
  /** Mini-transactions (or blocks) from the checkpoint on. */
  records: number;
  /** Valid log beyond the end: it has a hole. */
  beyond: { first: number; last: number; records: number } | null;
  /** From where on the log before the checkpoint could be read; the checkpoint when there is none. */
  historyFrom: number;
  historyRecords: number;
  /** Whether records were read, so that it is known which pages recovery makes anew. */
  pagesKnown: boolean;
  /** Every record of the log was read, whether or not it makes pages anew; else a sample at most. Absent in older evidence. */
  everyRecord?: boolean;
  /** Where records begin that are of no known form; null: nowhere. Absent in older evidence. */
  lostAt?: number | null;
  /** Blocks that the server was told to write without a checksum. Absent in older evidence. */
  withoutChecksum?: number;
  overflowed: boolean;
  contradictions: number;
  /** Nothing but the checkpoint itself is in the log. */
  cleanShutdown: boolean;
}
