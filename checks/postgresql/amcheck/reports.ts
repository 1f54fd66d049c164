/**
 * Reads what pg_amcheck prints. A report is a line that names the object, and indented lines that say what is wrong with it:
 *
 *     btree index "postgres.public.t_pkey":
 *         ERROR:  could not find tuple using search from root page in index "t_pkey"
 *
 * Everything else is about the run: NOTICE, WARNING, `pg_amcheck: error: ...`.
 */
import type { UntestedItem } from '../../../src/types.js';
import type { AmcheckRun } from '../engine/parse.js';

export interface Reports {
  /** One line each: object and message. */
  damage: string[];
  /** Objects that could not be walked, for reasons that are no damage. */
  notWalked: UntestedItem[];
}

const OBJECT = /^(heap table|btree index|toast table|gin index|index|table) "(.*)"(, .*)?:$/;
/** Why an object could not be walked: the function behind an index on an expression, the machine, or a cancelled query. */
const NOT_DAMAGE =
  /does not exist|permission denied|out of memory|canceling statement|could not load library|could not access file "\$libdir|no space left|could not resize shared memory|CONTEXT: {1,2}(PL\/|SQL function)/i;
/** Errors outside a report that are about data: a catalogue that cannot be read ends the run. */
const DAMAGE = /invalid page|could not read block|could not open file|corrupt|cache lookup failed|could not open relation|unexpected data beyond EOF/i;

/** What a tree ordered by another collation looks like: https://www.postgresql.org/docs/15/amcheck.html */
const ORDER = /invariant violated|could not find tuple using search from root page/i;
const OTHER_ORDER = "its text may be ordered otherwise by the libraries of this host than by the guest's (collation)";

interface Block {
  object: string;
  message: string;
}

export function readReports(run: AmcheckRun): Reports {
  const blocks = blocksOf(run.lines);
  const ofOrder = ({ object, message }: Block) => run.foreignOrder && object.startsWith('btree index') && ORDER.test(message);
  const about = blocks.filter((block) => NOT_DAMAGE.test(block.message) && !ofOrder(block));
  const damage = blocks.filter((block) => !NOT_DAMAGE.test(block.message) && !ofOrder(block)).map(({ object, message }) => `${object}: ${message}`);
  damage.push(...run.lines.filter((line) => /^pg_amcheck: (error|fatal)/.test(line) && DAMAGE.test(line)));
  const notWalked = about.map(({ object, message }): UntestedItem => ({ what: `${object} after recovery`, why: message, holdsData: !/index/.test(object) }));
  notWalked.push(...blocks.filter(ofOrder).map(({ object }) => ({ what: `order of ${object} after recovery`, why: OTHER_ORDER, holdsData: false })));
  notWalked.push(...skippedDatabases(run.lines));
  if (run.code === 2 && damage.length === 0) {
    if (blocks.length === 0) damage.push(run.lines[0] ?? 'it says so by its exit code, and nothing else');
    else if (run.lineCount > run.lines.length) notWalked.push(CUT_SHORT);
  }
  return { damage, notWalked };
}

function skippedDatabases(lines: string[]): UntestedItem[] {
  return lines.flatMap((line) => {
    const [, database, why = ''] = /^pg_amcheck: warning: skipping (database ".*"): (.*)$/.exec(line) ?? [];
    return database === undefined ? [] : [{ what: `tables and indexes of ${database} after recovery`, why, holdsData: true }];
  });
}

const CUT_SHORT: UntestedItem = { what: 'tables and indexes after recovery', why: 'pg_amcheck printed more than is kept', holdsData: true };

function blocksOf(lines: string[]): Block[] {
  const blocks: Block[] = [];
  for (const line of lines) {
    const last = blocks.at(-1);
    if (OBJECT.test(line)) blocks.push({ object: line.slice(0, -1), message: '' });
    else if (last && /^\s/.test(line)) last.message = `${last.message} ${line.trim()}`.trim();
  }
  return blocks;
}
