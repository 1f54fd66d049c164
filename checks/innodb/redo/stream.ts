/** What the walk needs of a redo log, whatever way its bytes are kept. Positions count payload bytes; LSNs are the server's. */
import type { MtrForm } from '../format/mini-transaction.js';

export interface Checkpoint {
  /** All changes before it are in the data files. */
  lsn: number;
  /** Where the record lies that names this checkpoint: the log must reach at least this far. */
  endLsn: number;
}

export interface LogStream {
  readonly form: MtrForm;
  /** LSN distance of one lap. */
  readonly capacity: number;
  positionOf(lsn: number): number;
  lsnOf(position: number): number;
  /** Value of an end byte at a position. */
  endByteAt(position: number): number;
  /** Fills `target` from `position` on. @returns how many bytes there are: fewer than asked when the log ends. */
  read(position: number, target: Buffer, lengthBytes: number): Promise<number>;
}
