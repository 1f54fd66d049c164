/**
 * What a thread is told of a piece of a MariaDB 10.8 log, and what it says of it. Threads take the log in stretches, each of which is read
 * from the first mini-transaction in it to the last whole one; what crosses from one stretch to the next is looked at where they are joined.
 */

/** `replayed`: from the checkpoint on. `past`: before it. `lap before`: what the ring still holds of its last lap; only followed. */
export type StretchKind = 'replayed' | 'past' | 'lap before';

/** Of all stretches of one pass. LSNs are bytes. */
export interface StretchDetail {
  kind: StretchKind;
  /** Of the first byte. */
  startLsn: number;
  /** A mini-transaction begins just there; else the first is searched for. */
  exact: boolean;
  /** Of the ring: end bytes alternate from lap to lap. */
  firstLsn: number;
  capacity: number;
}

/** What is said once and again of files and pages, in order. `at`: LSN of the end of its mini-transaction, relative as in marks. */
export type StretchNote = { at: number } & (
  | { what: 'create' | 'delete' | 'rename' | 'modify'; space: number; name: string; to: string | null }
  | { what: 'checkpoint'; lsn: number }
  | { what: 'trim'; space: number; page: number }
);

export interface StretchResult {
  kind: StretchKind;
  startLsn: number;
  endLsn: number;
  /** Nothing can be said of it: it must be read in the slow way. */
  broken: boolean;
  /** The chain ends within it, at `nextLsn`. */
  ended: boolean;
  /** Where the first mini-transaction starts that is not whole in it. */
  nextLsn: number;
  /** The bytes before its first mini-transaction, and those from `nextLsn` on. */
  head: Uint8Array;
  tail: Uint8Array;
  mtrs: number;
  /** Four words for each page: see PageMarks. LSNs are relative to `startLsn`. */
  marks: Int32Array;
  notes: StretchNote[];
}

/** Value of the end byte of a mini-transaction at a position of the ring. */
export function ringEndByte(position: number, { firstLsn, capacity }: { firstLsn: number; capacity: number }): number {
  return Math.floor((position - firstLsn) / capacity) % 2 === 0 ? 1 : 0;
}
