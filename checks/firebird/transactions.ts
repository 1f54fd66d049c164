/** Transaction inventory pages: which transactions ended, and how. Source: `src/jrd/ods.h` (tx_inv_page). */
import type { DatabaseHeader } from './format/page.js';
import { TYPES } from './format/page.js';
import type { RelationContext } from './walk-relation.js';

/** One row of RDB$PAGES: the first pages of everything. */
export interface PageRow {
  page: number;
  relation: number;
  sequence: number;
  type: number;
}

/** States of transactions: two bits each; 0 is active, 3 committed. */
export class Transactions {
  private readonly inventories: PageRow[];

  constructor(
    private readonly context: RelationContext,
    rows: PageRow[],
  ) {
    this.inventories = rows.filter(({ type }) => type === TYPES.transactions).sort((a, b) => a.sequence - b.sequence);
  }

  async isCommitted(transaction: number): Promise<boolean> {
    if (transaction === 0) return true;
    const per = this.context.pages.geometry.perTransactions;
    const row = this.inventories.find(({ sequence }) => sequence === Math.floor(transaction / per));
    const bytes = row ? await this.context.pages.look(row.page) : null;
    return bytes !== null && stateAt(bytes, transaction % per) === COMMITTED;
  }

  async countActive({ oldestActive, nextTransaction }: DatabaseHeader): Promise<number> {
    const { pages } = this.context;
    const per = pages.geometry.perTransactions;
    let active = 0;
    for (const { page, sequence } of this.inventories) {
      const bytes = await pages.claim(page, TYPES.transactions, `transaction inventory ${sequence}`);
      const from = Math.max(1, oldestActive, sequence * per);
      const to = Math.min(nextTransaction, (sequence + 1) * per - 1);
      for (let number = from; bytes && number <= to; number++) if (stateAt(bytes, number - sequence * per) === ACTIVE) active++;
    }
    const needed = Math.floor(nextTransaction / per);
    if (!this.inventories.some(({ sequence }) => sequence === needed)) {
      pages.damaged('transactions', 0, `names transaction ${nextTransaction}, and no transaction inventory page covers it`);
    }
    return active;
  }
}

const ACTIVE = 0;
const COMMITTED = 3;

function stateAt(inventory: Buffer, index: number): number {
  return ((inventory[20 + (index >> 2)] ?? 0) >> (2 * (index & 3))) & 3;
}
