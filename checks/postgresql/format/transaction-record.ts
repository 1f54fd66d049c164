/** Log records that end a transaction: xl_xact_commit and xl_xact_abort with what follows them, in src/include/access/xact.h. */

export interface TransactionEnd {
  committed: boolean;
  /** The transaction and its subtransactions. */
  transactions: number[];
  /** Relations whose files go. */
  dropped: { tablespace: number; database: number; relation: number }[];
}

const COMMIT = 0x00;
const ABORT = 0x20;
const COMMIT_PREPARED = 0x30;
const ABORT_PREPARED = 0x40;
const OPERATION = 0x70;
const HAS_INFO = 0x80;
const PART = { database: 1, subtransactions: 2, relations: 4, invalidations: 8, twoPhase: 16, statistics: 256 } as const;
const INVALIDATION_BYTES = 16;

/**
 * What the record's own data (`bytes[offset..offset + lengthBytes)`) say; null for records that end none, and where lengths contradict
 * each other. `transaction`: the one in the record's header.
 */
export function parseTransactionEnd(
  bytes: Buffer,
  offset: number,
  lengthBytes: number,
  record: { info: number; transaction: number; version: number },
): TransactionEnd | null {
  const operation = record.info & OPERATION;
  const committed = operation === COMMIT || operation === COMMIT_PREPARED;
  if (!committed && operation !== ABORT && operation !== ABORT_PREPARED) return null;
  const parts = new Parts(bytes, offset + 8, offset + lengthBytes);
  const info = record.info & HAS_INFO ? parts.word() : 0;
  if (info & PART.database) parts.skip(8);
  const transactions = info & PART.subtransactions ? parts.words(1).flat() : [];
  const dropped = (info & PART.relations ? parts.words(3) : []).map(([tablespace = 0, database = 0, relation = 0]) => ({ tablespace, database, relation }));
  if (info & PART.statistics) parts.skip(parts.word() * (record.version >= 18 ? 16 : 12));
  if (committed && info & PART.invalidations) parts.skip(parts.word() * INVALIDATION_BYTES);
  if (info & PART.twoPhase) transactions.push(parts.word());
  else if (record.transaction > 0) transactions.push(record.transaction);
  return parts.failed ? null : { committed, transactions, dropped };
}

/** Words one after another; `failed` once something lies outside, and then all is zero. */
class Parts {
  failed = false;

  constructor(
    private readonly bytes: Buffer,
    private at: number,
    private readonly end: number,
  ) {}

  word(): number {
    const at = this.at;
    this.skip(4);
    return this.failed ? 0 : this.bytes.readUInt32LE(at);
  }

  /** A count, then so many groups of `each` words. */
  words(each: number): number[][] {
    const count = this.word();
    if (this.failed || count * each * 4 > this.end - this.at) {
      this.failed = true;
      return [];
    }
    return Array.from({ length: count }, () => Array.from({ length: each }, () => this.word()));
  }

  skip(lengthBytes: number): void {
    this.at += lengthBytes;
    if (this.at > this.end) this.failed = true;
  }
}
