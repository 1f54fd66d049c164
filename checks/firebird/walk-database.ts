/** From the header page through RDB$PAGES to everything that is in use. */
import { type ProblemReport, Problems } from '../../src/bytes/problems.js';
import type { ByteSource } from '../../src/types.js';
import { type DatabaseHeader, geometryOf, TYPES } from './format/page.js';
import { type RecordHead, unpack } from './format/record.js';
import { Pages } from './pages.js';
import { walkIndex } from './walk-index.js';
import { type RelationContext, RelationWalk, type Totals } from './walk-relation.js';

export interface WalkFacts extends Totals {
  pages: number;
  pageBytes: number;
  /** Transactions that had neither ended nor been given up at the capture. */
  activeTransactions: number;
}

/** One row of RDB$PAGES: the first pages of everything. */
interface PageRow {
  page: number;
  relation: number;
  sequence: number;
  type: number;
}

const PAGES_RELATION = 0;
const RELATIONS_RELATION = 6;
/** Behind the null flags and three blobs. */
const RELATION_ID_AT = 32;
const MAX_ROWS = 1_000_000;

export async function walkDatabase(
  source: ByteSource,
  header: DatabaseHeader,
  file: string,
  signal: AbortSignal,
  progress: (bytes: number) => void,
): Promise<{ facts: WalkFacts; problems: ProblemReport }> {
  const problems = new Problems();
  const pages = new Pages(source, geometryOf(header.pageBytes), problems, file, signal, (visited) => progress(visited * header.pageBytes));
  const totals: Totals = { relations: 0, dataPages: 0, records: 0, blobPages: 0, indexes: 0, indexPages: 0 };
  const context: RelationContext = { pages, totals, nextTransaction: header.nextTransaction };
  const rows: PageRow[] = [];
  const walk = new RelationWalk(context, PAGES_RELATION, (segment, head) => {
    if (rows.length < MAX_ROWS) rows.push(parseRow(segment, head));
  });
  await walk.walk(header.pagesRelation);
  const transactions = new Transactions(context, rows);
  await walkRows(context, rows, transactions);
  const activeTransactions = await transactions.countActive(header);
  return { facts: { ...totals, pages: pages.count, pageBytes: header.pageBytes, activeTransactions }, problems: problems.report() };
}

/** Four bytes of null flags, then page number, relation, sequence and type, each at its own alignment. */
function parseRow(segment: Buffer, head: RecordHead): PageRow {
  const row = Buffer.concat([unpack(segment, head.dataAt, 18)], 18);
  return { page: row.readUInt32LE(4), relation: row.readUInt16LE(8), sequence: row.readUInt32LE(12), type: row.readUInt16LE(16) };
}

async function walkRows(context: RelationContext, rows: PageRow[], transactions: Transactions): Promise<void> {
  const established = await walkRelations(context, rows, transactions);
  for (const row of rows) {
    const { page, relation, sequence, type } = row;
    if (relation !== PAGES_RELATION && relation !== RELATIONS_RELATION && !(await isOwn(context, row)) && !established.has(relation)) continue;
    if (type === TYPES.pointer && sequence === 0 && relation !== PAGES_RELATION && relation !== RELATIONS_RELATION) {
      await new RelationWalk(context, relation).walk(page);
    }
    if (type === TYPES.indexRoot) await walkIndexRoot(context, page, relation);
    if (type === TYPES.generators) await context.pages.claim(page, TYPES.generators, `generators ${sequence}`);
  }
}

/**
 * Rows for a relation that is just being made reach the disk before its pages do, and stay when that is not committed: only what
 * RDB$RELATIONS lists is there for certain. Gives the numbers it lists.
 */
async function walkRelations(context: RelationContext, rows: PageRow[], transactions: Transactions): Promise<Set<number>> {
  const listed: { relation: number; head: RecordHead }[] = [];
  const first = rows.find(({ relation, type, sequence }) => relation === RELATIONS_RELATION && type === TYPES.pointer && sequence === 0);
  const walk = new RelationWalk(context, RELATIONS_RELATION, (segment, head) => {
    const record = Buffer.concat([unpack(segment, head.dataAt, RELATION_ID_AT + 2)], RELATION_ID_AT + 2);
    if (listed.length < MAX_ROWS) listed.push({ relation: record.readUInt16LE(RELATION_ID_AT), head });
  });
  if (first) await walk.walk(first.page);
  const established = new Set<number>();
  for (const { relation, head } of listed) {
    // A version before this one says that it was there before the transaction.
    if (head.back.page !== 0 || (await transactions.isCommitted(head.transaction))) established.add(relation);
  }
  return established;
}

async function isOwn({ pages }: RelationContext, { page, relation, type }: PageRow): Promise<boolean> {
  if (type !== TYPES.pointer && type !== TYPES.indexRoot) return true;
  const bytes = await pages.look(page);
  if (!bytes || bytes[0] !== type || bytes.readUInt32LE(12) !== page) return false;
  return bytes.readUInt16LE(type === TYPES.pointer ? 26 : 16) === relation;
}

const ROOT_ENTRY = 12;
const IN_PROGRESS = 4;

async function walkIndexRoot(context: RelationContext, page: number, relation: number): Promise<void> {
  const bytes = await context.pages.claim(page, TYPES.indexRoot, `relation ${relation}`);
  if (!bytes) return;
  const count = bytes.readUInt16LE(18);
  if (bytes.readUInt16LE(16) !== relation || 20 + ROOT_ENTRY * count > bytes.length) {
    context.pages.damaged('index-root', page, `should be the index root of relation ${relation}, and is another`);
    return;
  }
  for (let index = 0; index < count; index++) {
    const at = 20 + ROOT_ENTRY * index;
    const building = ((bytes[at + 11] ?? 0) & IN_PROGRESS) !== 0;
    if (!building && bytes.readUInt32LE(at) !== 0) await walkIndex(context, relation, index, bytes.readUInt32LE(at));
  }
}

/** States of transactions: two bits each; 0 is active, 3 committed. */
class Transactions {
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
