/** What the page pass is given, and the files that it makes of it. */
import type { BlockTable, RelationNumbers } from '../../../src/bytes/block-table.js';
import type { PageFile } from '../../../src/bytes/page-pool.js';
import type { ByteMap } from '../../../src/types.js';
import type { RelationIndex, RelationParts } from '../catalogue/relation-index.js';
import type { RelationEntry, RelationFiles } from '../cluster-files.js';
import type { ControlFile } from '../format/control.js';
import type { LogChanges } from '../log/changes.js';
import type { PageDetail } from './verifier.js';

export interface PagesRequest {
  control: ControlFile;
  relations: RelationFiles;
  /** Of `relations`; says what the catalogue knows of them. */
  index: RelationIndex;
  maps: (ByteMap | null)[];
  changes: LogChanges;
  table: BlockTable;
  numbers: RelationNumbers;
  /** Null: the end of the log is not known. */
  logEnd: number | null;
  /** What the log before redo says is in the pages by now; not so on a standby. */
  judgeStale: boolean;
  /** Why nothing tells which zero pages the log makes anew; null: something does. */
  zeroesUnread: string | null;
  signal: AbortSignal;
  progress(doneBytes: number, totalBytes: number): void;
}

/** A relation file, and the relation it belongs to. */
export type RelationPages = PageFile<PageDetail> & { entry: RelationEntry; parts: RelationParts | undefined };

export function isOfIndex({ entry, parts }: RelationPages): boolean {
  return entry.fork === 'main' && parts?.known?.kind === 'i';
}
