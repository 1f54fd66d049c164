/**
 * Holds pg_xact, pg_multixact and pg_commit_ts against the control file and the log. Their pages carry no checksum and no LSN:
 * what is judged is which of them must be there, and what the log and the order of numbers say of their contents.
 */
import { BlockReader } from '../../../src/bytes/block-reader.js';
import type { DatabaseInstance, GuestFiles } from '../../../src/types.js';
import { inside } from '../cluster-files.js';
import { addExample, type Examples, noExamples } from '../examples.js';
import type { ControlFile } from '../format/control.js';
import type { LogChanges } from '../log/changes.js';
import { later, precedes, STATUS, statusIn } from '../log/transaction-table.js';
import type { StatusFacts } from './facts.js';
import { StatusFiles, segmentFileName } from './files.js';
import { judgeOffsets } from './multixact-offsets.js';
import { judgeRange, type NumberRange, pagesOf } from './ranges.js';

export interface StatusRequest {
  files: GuestFiles;
  instance: DatabaseInstance;
  control: ControlFile;
  changes: LogChanges;
  /** All older ones are frozen in every database; null: the control file's word counts. */
  frozen: { transaction: number; multixact: number } | null;
  shutDown: boolean;
  /** What the log before redo says is on disk by now; not so on a standby. */
  judgeStale: boolean;
  signal: AbortSignal;
}

const FOLDERS = ['pg_xact', 'pg_multixact/offsets', 'pg_multixact/members', 'pg_subtrans'];
const PER_BYTE = 4;
/** Four members of a multixact, with a byte of flags each (src/backend/access/transam/multixact.c). */
const MEMBER_GROUP = { bytes: 20, members: 4 };
const COMMIT_TIME_BYTES = 10;
const TABLE_PAGE = 32768;
const FIRST_NORMAL = 3;

export function emptyStatusFacts(): StatusFacts {
  return {
    ...{ unread: null, pages: 0, missingFolders: [], missing: noExamples(), commitsCompared: 0, lostCommits: noExamples() },
    ...{ beyondLog: noExamples(), blank: noExamples(), disordered: noExamples() },
  };
}

export async function readStatus(request: StatusRequest): Promise<StatusFacts> {
  const reader = new BlockReader();
  try {
    return await new StatusPass(request, reader).run();
  } finally {
    await reader.close();
  }
}

class StatusPass {
  private readonly facts = emptyStatusFacts();

  constructor(
    private readonly request: StatusRequest,
    private readonly reader: BlockReader,
  ) {}

  async run(): Promise<StatusFacts> {
    if (this.request.changes.overflowed) return { ...this.facts, unread: 'the log does more than can be held in memory' };
    for (const folder of FOLDERS) {
      if (!(await this.request.files.resolve(inside(this.request.instance.location, folder)))) this.facts.missingFolders.push(folder);
    }
    await this.judgeTransactions();
    await this.judgeMultixacts();
    await this.judgeCommitTimes();
    return this.facts;
  }

  private open(folder: string): Promise<StatusFiles> {
    const { files, instance, control } = this.request;
    return StatusFiles.open(files, instance, folder, this.reader, control.pageBytes);
  }

  private async judgeTransactions(): Promise<void> {
    const { control, changes } = this.request;
    const files = await this.open('pg_xact');
    const perPage = control.pageBytes * PER_BYTE;
    const range = { first: this.oldestTransaction(), end: control.nextTransaction };
    // The log to be replayed may have frozen all that the checkpoint knew.
    if (precedes(range.first, range.end)) judgeRange('pg_xact', files, range, perPage, changes.madePages, 'xact', this.facts);
    if (this.request.judgeStale) await this.compareCommits(files, range.first, perPage);
    await this.judgeEnd(files, perPage);
    await this.judgeBlank(files, range, perPage);
  }

  /** Of three words for it the latest: each of them may be behind for a moment, none is ever ahead. */
  private oldestTransaction(): number {
    const { control, changes } = this.request;
    const frozen = this.request.frozen?.transaction ?? control.oldestTransaction;
    return later(changes.oldestTransaction, later(frozen, control.oldestTransaction));
  }

  /** A commit that was logged before the checkpoint began is in pg_xact: the checkpoint waits for it, and writes it. */
  private async compareCommits(files: StatusFiles, oldest: number, perPage: number): Promise<void> {
    for (const [group, statuses] of this.request.changes.endedBefore.entries()) {
      this.request.signal.throwIfAborted();
      for (let slot = 0; slot < TABLE_PAGE; slot++) {
        const transaction = group * TABLE_PAGE + slot;
        if (statusIn(statuses, slot) !== STATUS.committed || precedes(transaction, oldest)) continue;
        const number = Math.floor(transaction / perPage);
        const page = this.request.changes.madePages.has(`xact ${number}`) ? null : await files.page(number);
        if (!page) continue;
        this.facts.commitsCompared++;
        if (statusIn(page, transaction % perPage) !== STATUS.committed) this.note(this.facts.lostCommits, transaction, number);
      }
    }
  }

  /** No transaction is committed on disk before its log is: the rest of the newest page is blank. */
  private async judgeEnd(files: StatusFiles, perPage: number): Promise<void> {
    const { control, changes } = this.request;
    const newest = [changes.ended.newest, changes.endedBefore.newest].reduce<number>(
      (last, one) => (one === null ? last : later(last, one)),
      control.nextTransaction - 1,
    );
    const number = Math.floor(newest / perPage);
    const page = await files.page(number);
    for (let slot = (newest % perPage) + 1; page && slot < perPage; slot++) {
      if (statusIn(page, slot) === STATUS.committed) this.note(this.facts.beyondLog, number * perPage + slot, number);
    }
  }

  /** Pages before that of the oldest transaction still running. Where it is not noted, nothing tells which were. */
  private async judgeBlank(files: StatusFiles, range: NumberRange, perPage: number): Promise<void> {
    const { oldestActiveTransaction, nextTransaction } = this.request.control;
    const end = oldestActiveTransaction || (this.request.shutDown ? nextTransaction : 0);
    if (end === 0) return;
    const unfinished = Math.floor(end / perPage);
    for (const number of pagesOf({ first: range.first, end: later(range.first, end) }, perPage)) {
      this.request.signal.throwIfAborted();
      if (number === unfinished || number === Math.floor(range.first / perPage)) continue;
      const page = await files.page(number);
      if (page?.every((byte) => byte === 0)) addExample(this.facts.blank, { file: `pg_xact/${segmentFileName(number)}`, page: number, from: number * perPage });
    }
  }

  private note(list: Examples<{ transaction: number; file: string }>, transaction: number, page: number): void {
    if (transaction % 2 ** 32 >= FIRST_NORMAL) addExample(list, { transaction, file: `pg_xact/${segmentFileName(page)}` });
  }

  private async judgeMultixacts(): Promise<void> {
    const { control, changes } = this.request;
    const offsets = await this.open('pg_multixact/offsets');
    const frozen = this.request.frozen?.multixact ?? control.oldestMultixact;
    const range = { first: later(changes.oldestMultixact, later(frozen, control.oldestMultixact)), end: control.nextMultixact };
    if (!precedes(range.first, range.end)) return; // none is kept
    judgeRange('pg_multixact/offsets', offsets, range, control.pageBytes / 4, changes.madePages, 'offsets', this.facts);
    const first = await judgeOffsets(offsets, range, control.nextMultixactOffset, this.facts, this.request.signal);
    if (first === null || this.facts.disordered.count > 0) return; // nothing tells which members are kept
    const perPage = Math.floor(control.pageBytes / MEMBER_GROUP.bytes) * MEMBER_GROUP.members;
    const members = await this.open('pg_multixact/members');
    judgeRange('pg_multixact/members', members, { first, end: control.nextMultixactOffset }, perPage, changes.madePages, 'members', this.facts);
  }

  private async judgeCommitTimes(): Promise<void> {
    const { control, changes } = this.request;
    if (!control.keepsCommitTimes || control.oldestCommitTime === 0 || control.newestCommitTime === 0 || !this.request.judgeStale) return;
    const first = later(control.oldestCommitTime, this.oldestTransaction());
    const end = control.newestCommitTime + 1;
    if (!precedes(first, end)) return;
    const files = await this.open('pg_commit_ts');
    judgeRange('pg_commit_ts', files, { first, end: end >>> 0 }, Math.floor(control.pageBytes / COMMIT_TIME_BYTES), changes.madePages, 'times', this.facts);
  }
}
