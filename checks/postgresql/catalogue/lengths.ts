/** Whether relation files are as long as what is surely in them: by the log, by visibility maps, by the count in the catalogue. */
import type { BlockTable } from '../../../src/bytes/block-table.js';
import { addExample } from '../examples.js';
import type { CatalogueFacts, MissingFile, ShortFile } from './facts.js';

/** A relation in force, whose main fork is there. */
export interface LengthOf extends MissingFile {
  /** Blocks that the files hold. */
  blocks: number;
  /** Some log cuts it: only what the block table holds counts. */
  truncated: boolean;
}

/** Adds to `facts` every relation of `named` (by its number in the block table) of which the log knows blocks beyond its end. */
export function judgeByLog(table: BlockTable, named: ReadonlyMap<number, LengthOf>, judgeStale: boolean, facts: CatalogueFacts): void {
  const remadeTo = new Map<number, number>();
  table.forEach((at, relation, block) => {
    if (table.isRestored(at) && named.has(relation)) remadeTo.set(relation, Math.max(remadeTo.get(relation) ?? 0, block));
  });
  const found = new Map<number, ShortFile>();
  table.forEach((at, relation, block) => {
    const known = named.get(relation);
    if (!known || block < known.blocks || table.isRestored(at)) return;
    const isRequired = judgeStale && table.requiredLsn(at) > 0;
    // Recovery reads it before it makes it: the server stops there, unless an earlier record made the file longer.
    const isRead = table.isTouched(at) && !known.truncated && (remadeTo.get(relation) ?? -1) < block;
    if (isRequired || isRead) noteLonger(found, relation, known, block, isRequired ? 'the log before the checkpoint' : 'the log to be replayed');
  });
  for (const short of found.values()) addExample(facts.short, short);
}

function noteLonger(found: Map<number, ShortFile>, relation: number, known: LengthOf, block: number, by: ShortFile['by']): void {
  const before = found.get(relation);
  if (before) before.needed = Math.max(before.needed, block + 1);
  else found.set(relation, shortFile(known, block + 1, by));
}

export function shortFile({ file, relation, database, blocks }: LengthOf, needed: number, by: ShortFile['by']): ShortFile {
  return { file, relation, database, blocks, needed, by };
}
