/**
 * RDB$RELATIONS: what is there for certain. Rows of RDB$PAGES for a relation that is just being made reach the disk before its pages do,
 * and stay when that is not committed; those of a table that is just being dropped go before that is committed. The place of each field
 * follows from its type (on-disk structure 12): null flags, three blobs, five small integers, two names of 31 bytes, and so on.
 */
import { TYPES } from './format/page.js';
import { FLAG, parseRecord, type RecordHead, segmentAt, unpack } from './format/record.js';
import type { PageRow, Transactions } from './transactions.js';
import { type RelationContext, RelationWalk } from './walk-relation.js';

export const RELATIONS_RELATION = 6;
const ID_AT = 32;
const NAME = { from: 42, to: 73 };
const TYPE_FIELD = 16;
const TYPE_AT = 448;
const RECORD_BYTES = 450;
/** A table of rows that stay; views, external and monitoring tables have no pages. */
const PERSISTENT = 0;
const MAX_ROWS = 1_000_000;
/** Older versions that are looked at for all rows together. */
const MAX_VERSIONS = 1_000_000;

interface Listed {
  segment: Buffer;
  head: RecordHead;
  page: number;
}

/** Gives the numbers of the relations that it lists by a committed version. Tables among them that RDB$PAGES does not know are told. */
export async function walkRelations(context: RelationContext, rows: PageRow[], transactions: Transactions): Promise<Set<number>> {
  const listed: Listed[] = [];
  const first = rows.find(({ relation, type, sequence }) => relation === RELATIONS_RELATION && type === TYPES.pointer && sequence === 0);
  const visit = (segment: Buffer, head: RecordHead, page: number) => {
    if (listed.length < MAX_ROWS) listed.push({ segment, head, page });
  };
  if (first) await new RelationWalk(context, RELATIONS_RELATION, visit, true).walk(first.page);
  const withPages = new Set(rows.filter(({ type, sequence }) => type === TYPES.pointer && sequence === 0).map(({ relation }) => relation));
  const established = new Set<number>();
  const budget = { versions: MAX_VERSIONS };
  for (const newest of listed) {
    const version = await committed(context, newest, transactions, budget);
    if (!version || version.head.flags & (FLAG.deleted | FLAG.incomplete)) continue;
    // Of a version that is kept as what differs from the newer one, that one tells what never changes.
    const record = unpackedRecord(version.head.flags & FLAG.delta ? newest : version);
    if (record.length < ID_AT + 2) continue;
    const relation = record.readUInt16LE(ID_AT);
    established.add(relation);
    if (isTable(record) && !withPages.has(relation)) tell(context, record, newest.page);
  }
  return established;
}

/** The newest version of which it is known that it was committed; null when there is none, or it cannot be followed. */
async function committed({ pages }: RelationContext, newest: Listed, transactions: Transactions, budget: { versions: number }): Promise<Listed | null> {
  let version: Listed | null = newest;
  while (version) {
    if (await transactions.isCommitted(version.head.transaction)) return version;
    if (budget.versions-- <= 0) return null;
    const { page, line }: RecordHead['back'] = version.head.back;
    const bytes: Buffer | null = page === 0 ? null : await pages.look(page);
    const segment: Buffer | null = bytes?.[0] === TYPES.data ? segmentAt(bytes, line) : null;
    const head: RecordHead | null = segment ? parseRecord(segment) : null;
    version = segment && head ? { segment, head, page } : null;
  }
  return null;
}

function unpackedRecord({ segment, head }: Listed): Buffer {
  return head.flags & FLAG.deleted ? Buffer.alloc(0) : unpack(segment, head.dataAt, RECORD_BYTES);
}

function isTable(record: Buffer): boolean {
  if (record.length < RECORD_BYTES) return false;
  const isNull = ((record[TYPE_FIELD >> 3] ?? 0) & (1 << (TYPE_FIELD & 7))) !== 0;
  return !isNull && record.readUInt16LE(TYPE_AT) === PERSISTENT && record.readUInt16LE(ID_AT) !== 0;
}

function tell({ pages }: RelationContext, record: Buffer, page: number): void {
  const name = record.toString('utf8', NAME.from, NAME.to).replace(/[\0 ]+$/, '');
  pages.damaged(
    'table.without-pages',
    page,
    `lists the table ${name}, and nothing says any more where its pages are: it was just being dropped, or what named them was lost. gbak stops at it, and it cannot be dropped`,
  );
}
