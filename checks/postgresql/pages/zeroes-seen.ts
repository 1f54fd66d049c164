/** What one thread saw of zero pages. */
import type { BlockTable } from '../../../src/bytes/block-table.js';
import { keepExample } from '../../../src/bytes/page-facts.js';
import { addZero, type ZeroRun } from './zero-runs.js';
import { emptyLost, type LostPages } from './zeroed-facts.js';

export interface ZeroesSeen {
  /** Zero pages that the log neither makes anew nor cuts off. */
  runs: ZeroRun[];
  lost: LostPages;
}

/** How the zero pages of one relation in force are judged. */
export interface ZeroJudgement {
  /** Place of its first file in the list of all. */
  relation: number;
  /** From this block on some log cut it: pages there may never have been used since. */
  endBlock: number;
  /** Its first page describes it. */
  isFirstNeeded: boolean;
  /** Recovery reads every page that the log names without making it, and stops where it is zero. */
  isReadByLog: boolean;
}

export function emptyZeroesSeen(): ZeroesSeen {
  return { runs: [], lost: emptyLost() };
}

/** @param number of the relation in the block table, -1 when it is not there. */
export function noteZero(seen: ZeroesSeen, zero: ZeroJudgement, file: string, block: number, table: BlockTable, number: number): void {
  const at = number < 0 ? -1 : table.find(number, block);
  if (block >= zero.endBlock || table.isRestored(at)) return;
  addZero(seen.runs, zero.relation, block);
  if (zero.isFirstNeeded && block === 0) keepExample(seen.lost.first, { file, block });
  else if (zero.isReadByLog && table.isTouched(at)) keepExample(seen.lost.log, { file, block });
}
