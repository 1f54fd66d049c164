/** From the header page through RDB$PAGES to everything that is in use. */
import { type ProblemReport, Problems } from '../../src/bytes/problems.js';
import type { ByteSource } from '../../src/types.js';
import { type DatabaseHeader, geometryOf, TYPES } from './format/page.js';
import { type RecordHead, unpack } from './format/record.js';
import { Pages } from './pages.js';
import { type PageRow, Transactions } from './transactions.js';
import { walkIndex } from './walk-index.js';
import { type RelationContext, RelationWalk, type Totals } from './walk-relation.js';
import { RELATIONS_RELATION, walkRelations } from './walk-relations.js';

export interface WalkFacts extends Totals {
  pages: number;
  pageBytes: number;
  /** Transactions that had neither ended nor been given up at the capture. */
  activeTransactions: number;
}

const PAGES_RELATION = 0;
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
