/** One index: level by level along the siblings, held against what the level above lists. */
import { type IndexPage, parseIndexPage } from './format/index-page.js';
import { TYPES } from './format/page.js';
import type { RelationContext } from './walk-relation.js';

const MAX_LEVELS = 16;
/** Children of one level that are held against the chain below. */
const MAX_CHILDREN = 8_000_000;

export async function walkIndex(context: RelationContext, relation: number, index: number, root: number): Promise<void> {
  context.totals.indexes++;
  const name = `index ${index} of relation ${relation}`;
  const top = await openPage(context, root, relation, index, null, name);
  if (!top) return;
  let children = await walkLevel(context, { relation, index, name }, root, top, []);
  for (let level = top.level - 1; level >= 0 && children && children.length > 0; level--) {
    const first = children[0] ?? 0;
    const page = await openPage(context, first, relation, index, level, name);
    children = page ? await walkLevel(context, { relation, index, name }, first, page, children) : null;
  }
}

interface Identity {
  relation: number;
  index: number;
  name: string;
}

/** The children of all pages of a level; null when the chain is broken. */
async function walkLevel(context: RelationContext, identity: Identity, first: number, page: IndexPage, expected: number[]): Promise<number[] | null> {
  const children: number[] = [];
  let met = expected.length > 0 ? 1 : 0;
  let last: Buffer | null = null;
  for (let number = first, current: IndexPage | null = page; current; ) {
    last = follow(context, identity, number, current, last);
    if (children.length < MAX_CHILDREN) for (const child of current.children) children.push(child);
    if (current.sibling === 0 || current.endsLevel) break;
    number = current.sibling;
    // A page that was split off and not yet entered above is skipped.
    if (met < expected.length && expected[met] === number) met++;
    current = await openPage(context, number, identity.relation, identity.index, page.level, identity.name);
    if (!current) return null;
  }
  if (met < expected.length) {
    context.pages.damaged('index.chain', expected[met] ?? 0, `of ${identity.name} is listed on the level above, and the chain of its level does not come by`);
  }
  return children;
}

/** The last key so far. Pages of one level follow each other in the order of keys. */
function follow(context: RelationContext, { name }: Identity, number: number, page: IndexPage, last: Buffer | null): Buffer | null {
  if (last && page.firstKey && Buffer.compare(page.firstKey, last) < 0) {
    context.pages.damaged('index.order', number, `of ${name} begins with a key smaller than the one before it`);
  }
  return page.lastKey ?? last;
}

async function openPage(
  context: RelationContext,
  number: number,
  relation: number,
  index: number,
  level: number | null,
  name: string,
): Promise<IndexPage | null> {
  const bytes = await context.pages.claim(number, TYPES.index, name);
  if (!bytes) return null;
  const parsed = parseIndexPage(bytes);
  if (typeof parsed === 'string') return context.pages.damaged('index', number, `of ${name} ${parsed}`);
  const own = parsed.relation === relation && parsed.index === index % 256 && (level === null ? parsed.level < MAX_LEVELS : parsed.level === level);
  context.totals.indexPages++;
  return own
    ? parsed
    : context.pages.damaged('index', number, `should be of ${name}, and is of index ${parsed.index} of relation ${parsed.relation}, level ${parsed.level}`);
}
