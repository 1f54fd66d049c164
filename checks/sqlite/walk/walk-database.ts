/** Walks a whole database: schema, every tree, free list; then every page must have been met exactly once. */
import { FormatError } from '../../../src/errors.js';
import type { Defects } from '../defects.js';
import { geometryOf } from '../format/geometry.js';
import { type DatabaseHeader, parseHeader } from '../format/header.js';
import type { PageView } from '../page-view.js';
import { walkFreeList } from './free-list.js';
import { PageClaims } from './page-claims.js';
import { Schema } from './schema.js';
import { TreeWalk } from './tree-walk.js';
import type { Tree } from './visit-queue.js';

export interface WalkFacts {
  trees: number;
  /** Index trees (and tables without rowid) whose order was compared too. */
  comparedIndexes: number;
  uncomparedIndexes: number;
  btreePages: number;
  overflowPages: number;
  freePages: number;
  entries: number;
  /** Pages that nothing refers to. */
  unreachedPages: number;
  /** Damage kept parts from being reached. */
  incomplete: boolean;
  pointerMap: 'none' | 'compared' | 'too large to compare';
}

const SHOWN_UNREACHED = 5;

/** Never throws but for reading errors and an aborted signal. Null when the header allows no walk (noted in `defects`). */
export async function walkDatabase(view: PageView, defects: Defects, signal: AbortSignal, onPages: (pages: number) => void): Promise<WalkFacts | null> {
  const header = readHeader(await view.read(1, 1), view, defects);
  if (!header) return null;
  const geometry = geometryOf(view.pageSize, header.usableBytes, view.pageCount, header.largestRoot !== 0);
  const claims = new PageClaims(view, geometry, defects);
  await claims.loadPointerMap(signal);
  const freePages = await walkFreeList(header, view, geometry, claims, defects, signal);
  const walk = new TreeWalk(view, geometry, claims, defects);
  const schema = new Schema(view, geometry.usableBytes, header.encoding);
  let visited = 0;
  const count = (pages: number) => {
    visited += pages;
    onPages(visited);
  };
  walk.addRoot(schemaTree());
  await walk.run(signal, count, (page, parsed) => schema.addLeaf(page, parsed));
  const trees = await schema.trees();
  if (schema.skippedRows > 0) defects.add('sqlite.schema', 1, 'sqlite_schema', `leads to ${schema.skippedRows} rows of the schema that cannot be decoded`);
  for (const tree of trees) walk.addRoot(tree);
  await walk.run(signal, count);
  const incomplete = walk.totals.incomplete || schema.skippedRows > 0;
  if (!incomplete) compareCounts(trees, defects);
  const unreachedPages = noteUnreached(claims, defects, incomplete);
  const indexes = trees.filter((tree: Tree) => tree.isTable === false);
  const comparedIndexes = indexes.filter((tree) => tree.comparable).length;
  return {
    ...walk.totals,
    entries: trees.reduce((sum, { entries }) => sum + entries, 0),
    trees: trees.length + 1,
    comparedIndexes,
    uncomparedIndexes: indexes.length - comparedIndexes,
    freePages,
    unreachedPages,
    incomplete,
    pointerMap: !geometry.autoVacuum ? 'none' : claims.pointerMapCompared ? 'compared' : 'too large to compare',
  };
}

function readHeader(page: Buffer, view: PageView, defects: Defects): DatabaseHeader | null {
  try {
    const header = parseHeader(page);
    if (header.readVersion > 2) defects.add('sqlite.header', 1, '', `asks for format version ${header.readVersion}, which SQLite does not read`);
    if (header.pageSize === view.pageSize) return header;
    defects.add('sqlite.header', 1, '', `says pages have ${header.pageSize} bytes, its log says ${view.pageSize}`);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    defects.add('sqlite.header', 1, '', `holds a damaged header: ${error.message}`);
  }
  return null;
}

/** Where damage cut off a subtree, its pages are a consequence and not listed one by one. */
function noteUnreached(claims: PageClaims, defects: Defects, incomplete: boolean): number {
  const unreached = claims.unclaimed();
  if (unreached === 0) return 0;
  const examples = claims.firstUnclaimed(incomplete ? 0 : SHOWN_UNREACHED);
  for (const page of examples) defects.add('sqlite.page.unreached', page, '', `belongs to nothing (${unreached} such pages)`);
  return unreached;
}

function schemaTree(): Tree {
  return { name: 'sqlite_schema', root: 1, isIndex: false, isTable: true, comparable: false, leafDepth: -1, entries: 0, indexes: null };
}

/** An index that is not partial has an entry for each row. Damage that cut off a part would make every count wrong. */
function compareCounts(trees: Tree[], defects: Defects): void {
  const tables = new Map(trees.filter(({ isIndex }) => !isIndex).map((tree) => [tree.name.toLowerCase(), tree]));
  for (const tree of trees) {
    const table = tree.indexes === null ? undefined : tables.get(tree.indexes);
    if (!table || table.entries === tree.entries) continue;
    defects.add(
      'sqlite.index.count',
      tree.root,
      tree.name,
      `is the root of an index with ${tree.entries} entries, its table ${table.name} has ${table.entries} rows`,
    );
  }
}
