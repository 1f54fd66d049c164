/** What each log record means for blocks. Numbers of resource managers and operations: src/include/access/rmgrlist.h and the *xlog.h headers. */
import type { BlockTable, RelationNumbers } from '../../../src/bytes/block-table.js';
import type { BlockReference, RecordBody } from '../format/wal-record.js';
import type { LogChanges } from './changes.js';
import type { WalRecord } from './reader.js';

const RM = { xlog: 0, storage: 2, heap2: 9, hash: 12 } as const;
const XLOG = { checkpointShutdown: 0x00, checkpointOnline: 0x10, backupEnd: 0x50, imageForHint: 0xa0, image: 0xb0 } as const;
const STORAGE_TRUNCATE = 0x20;
const HEAP2_VISIBLE = 0x40;
const HEAP2_MASK = 0x70;
const MAIN_FORK = 0;
const TRUNCATES_HEAP = 1;
/** Each costs a walk over the table. */
const MAX_TRUNCATIONS = 20_000;
/** A compressed image of an empty page is at most this long. */
const EMPTY_IMAGE_BYTES = 64;

export class LogVisitor {
  lastCheckpoint: number | null = null;
  sawBackupEnd = false;
  contradictions = 0;
  overflowed = false;
  private truncations: { relation: number; block: number; lsn: number }[] = [];
  private historyEnd = 0;

  constructor(
    private readonly table: BlockTable,
    private readonly relations: RelationNumbers,
    private readonly changes: LogChanges,
    private readonly redo: number,
    private readonly hintsLogged: boolean,
  ) {}

  /** The same visitor; records that start before `redo` are history. */
  before(redo: number): this {
    this.historyEnd = redo;
    return this;
  }

  forgetHistory(): void {
    this.table.forgetRequired();
    this.changes.forgetHistory();
  }

  visit(record: WalRecord, body: RecordBody): void {
    if (this.historyEnd > 0 && record.start >= this.historyEnd) return;
    this.changes.visit(record, body, record.start >= this.redo);
    if (record.resourceManager === RM.xlog) this.visitXlog(record);
    if (record.resourceManager === RM.storage) this.visitStorage(record, body);
    for (const block of body.blocks) {
      if (block.fork === MAIN_FORK) this.visitBlock(record, block);
    }
  }

  private visitXlog(record: WalRecord): void {
    const operation = record.info & 0xf0;
    const isCheckpoint = operation === XLOG.checkpointShutdown || operation === XLOG.checkpointOnline;
    if (record.start >= this.redo && isCheckpoint) this.lastCheckpoint = record.start;
    if (record.start >= this.redo && operation === XLOG.backupEnd) this.sawBackupEnd = true;
  }

  /** xl_smgr_truncate: first block gone, tablespace, database, relation, flags. */
  private visitStorage(record: WalRecord, body: RecordBody): void {
    if ((record.info & 0xf0) !== STORAGE_TRUNCATE || body.mainBytes < 20) return;
    const word = (i: number) => record.bytes.readUInt32LE(body.mainOffset + 4 * i);
    if (!(word(4) & TRUNCATES_HEAP)) return;
    const relation = this.relations.intern(word(1), word(2), word(3));
    if (this.truncations.length >= MAX_TRUNCATIONS) this.overflowed = true;
    else if (relation >= 0) this.truncations.push({ relation, block: word(0), lsn: record.end });
  }

  private visitBlock(record: WalRecord, block: BlockReference): void {
    const relation = this.relations.intern(block.tablespace, block.database, block.relation);
    if (relation < 0) return;
    if (record.start >= this.redo) this.table.touch(relation, block.block, block.willInit || block.image?.apply === true);
    else if (this.setsPageLsn(record, block)) this.table.require(relation, block.block, record.end);
  }

  /** Whether the page surely carries this record's LSN afterwards. Where the server does not say so, nothing is required. */
  private setsPageLsn(record: WalRecord, block: BlockReference): boolean {
    const operation = record.info & 0xf0;
    if (record.resourceManager === RM.xlog) return operation === XLOG.image && !imageIsEmpty(record, block);
    if (record.resourceManager === RM.heap2 && (record.info & HEAP2_MASK) === HEAP2_VISIBLE) return this.hintsLogged;
    if (record.resourceManager === RM.hash) return block.image !== null || block.dataBytes > 0;
    return true;
  }

  /** What was required of blocks that a truncation took away is required no more. */
  applyTruncations(): void {
    for (const { relation, block, lsn } of this.truncations) this.table.truncate(relation, block, lsn);
  }
}

/** The image of a page that was never initialised: it stays all zero, without an LSN. `upper` lies at 14. */
function imageIsEmpty(record: WalRecord, block: BlockReference): boolean {
  if (!block.image) return true;
  if (block.image.compression !== 'none') return block.image.lengthBytes <= EMPTY_IMAGE_BYTES;
  return block.image.lengthBytes < 24 || record.bytes.readUInt16LE(block.image.offset + 14) === 0;
}
