/** How the pages of each relation file are judged: by its fork, by the catalogue and by what the log does to it. */
import type { RelationNumbers } from '../../../src/bytes/block-table.js';
import type { KnownRelation, RelationIndex } from '../catalogue/relation-index.js';
import type { RelationEntry } from '../cluster-files.js';
import { ACCESS_METHODS, BTREE } from '../format/access/methods.js';
import type { ControlFile } from '../format/control.js';
import { type LogChanges, relationKey } from '../log/changes.js';
import type { PageDetail, PageRole } from './verifier.js';
import type { ZeroJudgement } from './zeroes-seen.js';

const ALL_BLOCKS = 2 ** 32;

export class FileRoles {
  private readonly unlogged: Set<string>;

  /** @param judgeZeroes false: nothing tells which zero pages the log makes anew. */
  constructor(
    private readonly index: RelationIndex,
    private readonly changes: LogChanges,
    private readonly numbers: RelationNumbers,
    private readonly control: ControlFile,
    private readonly judgeZeroes: boolean,
  ) {
    this.unlogged = unloggedRelations(index.entries);
  }

  detail(entry: RelationEntry): PageDetail {
    const role = this.role(entry);
    const named = role !== 'derived' && role !== 'exempt';
    return {
      ...{ path: entry.path, firstBlock: entry.segment * this.control.relationSegmentPages, role, watch: null },
      relation: named ? this.numbers.find(entry.tablespace, entry.database, entry.relation) : -1,
      zero: role === 'logged' && this.judgeZeroes ? this.zeroJudgement(entry) : null,
    };
  }

  /** The log to be replayed removes what is left of it: its first segment goes last. */
  isDropped(entry: RelationEntry): boolean {
    return this.changes.relations.get(keyOf(entry))?.dropped === true || this.changes.databases.has(entry.database);
  }

  private role(entry: RelationEntry): PageRole {
    if (entry.fork === 'fsm' || entry.fork === 'vm') return 'derived';
    if (entry.temporary || entry.fork === 'init' || this.unlogged.has(keyOf(entry))) return 'exempt';
    if (this.index.leaving.has(entry.database) || this.index.isUnfinished(entry)) return 'unborn';
    if (!this.index.isUnborn(entry)) return 'logged';
    return this.changes.isBorn(entry.tablespace, entry.database, entry.relation) ? 'nameless' : 'unborn';
  }

  private zeroJudgement(entry: RelationEntry): ZeroJudgement | null {
    const parts = this.index.find(entry.tablespace, entry.database, entry.relation);
    const known = parts?.known;
    if (!parts || !known?.settled || (known.kind === 'i' && known.ready !== true)) return null;
    const endBlock = this.changes.relation(entry.tablespace, entry.database, entry.relation)?.truncatedTo ?? ALL_BLOCKS;
    return { relation: parts.main, endBlock, isFirstNeeded: describesItself(known), isReadByLog: known.kind !== 'i' || known.access === BTREE };
  }
}

const keyOf = (entry: RelationEntry): string => relationKey(entry.tablespace, entry.database, entry.relation);

/** A relation with an `_init` fork is unlogged: recovery empties it. */
function unloggedRelations(entries: RelationEntry[]): Set<string> {
  return new Set(entries.filter((entry) => entry.fork === 'init').map(keyOf));
}

/** A sequence is its first page. */
function describesItself({ kind, access }: KnownRelation): boolean {
  return kind === 'S' || (kind === 'i' && access in ACCESS_METHODS);
}
