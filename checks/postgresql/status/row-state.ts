/** Whether a row version of a catalogue is in force once recovery is done. The rules: HeapTupleSatisfiesMVCC and pg_xact. */
import { type HeapTuple, ROW } from '../format/heap.js';
import type { LogChanges } from '../log/changes.js';
import { STATUS, statusIn } from '../log/transaction-table.js';
import type { StatusFiles } from './files.js';

/** `live`: surely inserted and surely not deleted. `gone`: never committed (a crash undoes it), or deleted. */
export type RowState = 'live' | 'gone' | 'undecided';

const FIRST_NORMAL = 3;
const PER_BYTE = 4;

export class RowJudge {
  constructor(
    private readonly changes: LogChanges,
    private readonly statusFiles: StatusFiles,
  ) {}

  /**
   * @param commitsNameFiles the row is of pg_class: the log of a commit names every file that it removes, so a row deleted by the log to be
   * replayed still speaks for its file. Its newer version may stand on a page that was not written yet.
   */
  async judge({ inserted, deleted, infomask }: HeapTuple, commitsNameFiles: boolean): Promise<RowState> {
    const insertion = await this.insertion(inserted, infomask);
    if (insertion !== 'live') return insertion;
    const byLog = !(infomask & ROW.deleteIsMulti) && this.changes.ended.get(deleted) === STATUS.committed;
    if (commitsNameFiles && byLog) return 'live';
    return this.deletion(deleted, infomask);
  }

  /** Whether somebody began to delete the row, whatever became of it. */
  deletionBegan({ deleted, infomask }: HeapTuple): boolean {
    return deleted !== 0 && !(infomask & ROW.deleteInvalid) && !isLockOnly(infomask);
  }

  /** How a transaction ended, as recovery will know it; null: nothing is known. */
  async status(transaction: number): Promise<number | null> {
    if (transaction < FIRST_NORMAL) return transaction === 0 ? STATUS.aborted : STATUS.committed;
    const logged = this.changes.ended.get(transaction);
    if (logged !== STATUS.inProgress) return logged;
    const perPage = this.statusFiles.pageBytes * PER_BYTE;
    const page = await this.statusFiles.page(Math.floor(transaction / perPage));
    return page ? statusIn(page, transaction % perPage) : null;
  }

  private async insertion(transaction: number, infomask: number): Promise<RowState> {
    if (infomask & ROW.moved) return 'undecided'; // by a VACUUM FULL of before version 9
    if (infomask & ROW.insertCommitted) return 'live'; // with `insertInvalid`: frozen
    if (infomask & ROW.insertInvalid) return 'gone';
    const status = await this.status(transaction);
    if (status === null) return 'undecided';
    return status === STATUS.committed ? 'live' : 'gone';
  }

  private async deletion(transaction: number, infomask: number): Promise<RowState> {
    if (transaction === 0 || infomask & ROW.deleteInvalid || isLockOnly(infomask)) return 'live';
    if (infomask & ROW.deleteIsMulti) return 'undecided';
    if (infomask & ROW.deleteCommitted) return 'gone';
    const status = await this.status(transaction);
    if (status === null) return 'undecided';
    return status === STATUS.committed ? 'gone' : 'live';
  }
}

function isLockOnly(infomask: number): boolean {
  const lockBits = infomask & (ROW.deleteIsMulti | ROW.exclusiveLock | ROW.keyShareLock);
  return (infomask & ROW.lockOnly) !== 0 || lockBits === ROW.exclusiveLock;
}
