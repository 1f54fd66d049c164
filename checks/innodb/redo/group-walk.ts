/** Steps through the groups of records of a log of MySQL 5.7. */
import { BAD, SHORT } from '../format/mini-transaction.js';
import { findGroupEnd, visitGroup } from '../format/mysql-57-group.js';
import { Records57 } from '../format/mysql-57-record.js';
import type { MtrReader } from './knowledge.js';
import { LogWindow, type Mtr } from './log-window.js';

/** @param logicalBytes page size of the instance. */
export function groupReader(logicalBytes: number): MtrReader {
  const records = new Records57();
  return (mtr, visitor) => visitGroup(records, mtr.bytes, mtr.at, mtr.end, logicalBytes, visitor);
}

export class GroupWalk extends LogWindow {
  private readonly records = new Records57();

  protected override restart(position: number): void {
    super.restart(position);
    this.isLost = false;
  }

  protected stepFrom(position: number, visit: (mtr: Mtr) => void): number {
    const at = position - this.base;
    const end = findGroupEnd(this.records, this.window, at, this.filled);
    this.isLost = end === BAD || (end === SHORT && !this.ended);
    if (end < 0) return -1;
    const after = position + end - at;
    visit({ bytes: this.window, at, end, startLsn: this.stream.lsnOf(position), endLsn: this.stream.lsnOf(after) });
    return after;
  }
}
