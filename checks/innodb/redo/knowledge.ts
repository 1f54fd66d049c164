/** Gathers what the log says of pages and files, for the judgement of the pages. */
import { BlockTable } from '../../../src/bytes/block-table.js';
import type { MtrVisitor } from '../format/mini-transaction.js';
import type { Mtr } from './log-window.js';

const MAX_SPACES = 1_000_000;

/** Numbers tablespaces in the order in which they are met: the table of blocks has room for 28 bits. */
export class SpaceNumbers {
  private readonly numbers = new Map<number, number>();
  overflowed = false;

  intern(space: number): number {
    const known = this.numbers.get(space);
    if (known !== undefined) return known;
    if (this.numbers.size >= MAX_SPACES) {
      this.overflowed = true;
      return -1;
    }
    this.numbers.set(space, this.numbers.size);
    return this.numbers.size - 1;
  }

  find(space: number): number {
    return this.numbers.get(space) ?? -1;
  }
}

export interface FileWord {
  name: string;
  /** The log says, from the checkpoint on, that the file was deleted. */
  deleted: boolean;
  /** It says there that the file was made: recovery makes it again if it is not there. */
  created: boolean;
}

/** Tells a visitor what a mini-transaction does. @returns false when its records contradict each other. */
export type MtrReader = (mtr: Mtr, visitor: MtrVisitor) => boolean;

interface Cut {
  page: number;
  /** What was logged up to here of pages from there on is of no account any more. */
  lsn: number;
}

/** What recovery reads (from the checkpoint on) and what was logged before it, which must be on disk already. */
export class LogKnowledge {
  readonly table = new BlockTable();
  readonly spaces = new SpaceNumbers();
  /** Pages that records from the checkpoint on name: what lies on disk of them is not what the server will see. */
  readonly touched = new BlockTable();
  /** Files named from the checkpoint on, by tablespace. */
  readonly files = new Map<number, FileWord>();
  /** Tablespaces whose deletion is logged anywhere in what was read: their pages were thrown away, and the file may lie there a moment longer. */
  readonly dropped = new Set<number>();
  /** Tablespaces that were changed after the record of the checkpoint: none of them was being deleted when the checkpoint was written. */
  readonly changedSince = new Set<number>();
  contradictions = 0;
  mtrs = 0;
  historyMtrs = 0;
  checkpointSeen = false;
  private historyLsn = 0;
  /** Tablespaces that were cut off (undo logs, TRUNCATE), by their numbers here; and those of them that recovery cuts. */
  private readonly cuts = new Map<number, Cut>();
  private readonly trimmed = new Set<number>();

  /** @param read null: of a log whose records are not read. */
  constructor(
    private readonly checkpointLsn: number,
    private readonly read: MtrReader | null,
  ) {}

  /** From the checkpoint on. */
  replayed(mtr: Mtr): void {
    this.mtrs++;
    if (this.read?.(mtr, this.forward) === false) this.contradictions++;
  }

  /** Before the checkpoint, oldest first. `endLsn` is of the lap in which it was written. */
  past(mtr: Mtr, endLsn: number): void {
    this.historyMtrs++;
    this.historyLsn = endLsn;
    if (this.read?.(mtr, this.history) === false) this.contradictions++;
  }

  /** A single change before the checkpoint, of a log whose records are not all read. `lsn`: the page carries a later one. */
  pastChange(space: number, page: number, lsn: number): void {
    this.historyMtrs++;
    this.on(space, page, (relation, block) => this.table.require(relation, block, lsn));
  }

  /** What came in between is not known: pages may have been freed there. */
  forgetPast(): void {
    this.table.forgetRequired();
    this.historyMtrs = 0;
  }

  private on(space: number, page: number, act: (relation: number, block: number) => void): void {
    const relation = this.spaces.intern(space);
    if (relation >= 0) act(relation, page);
  }

  private readonly forward: MtrVisitor = {
    write: (space, page) => this.noteChange(space, page),
    init: (space, page) => this.renew(space, page),
    free: (space, page) => this.renew(space, page),
    release: () => {},
    trim: (space, page) => {
      this.cut(space, page, Number.POSITIVE_INFINITY);
      this.trimmed.add(space);
    },
    file: (what, space, name, to) => {
      this.noteDrop(what, space);
      const created = what === 'create' || this.files.get(space)?.created === true;
      if (this.files.size < MAX_SPACES) this.files.set(space, { name: to ?? name, deleted: what === 'delete', created });
    },
    checkpoint: (lsn) => {
      if (lsn === this.checkpointLsn) this.checkpointSeen = true;
    },
  };

  private readonly history: MtrVisitor = {
    write: (space, page) => this.on(space, page, (relation, block) => this.require(relation, block)),
    init: (space, page) => this.on(space, page, (relation, block) => this.require(relation, block)),
    free: (space, page) => this.release(space, page),
    release: (space, page) => this.release(space, page),
    trim: (space, page) => this.cut(space, page, this.historyLsn),
    file: (what, space) => this.noteDrop(what, space),
    checkpoint: () => {},
  };

  private release(space: number, page: number): void {
    const relation = this.spaces.find(space);
    if (relation >= 0) this.table.release(relation, page);
  }

  private renew(space: number, page: number): void {
    this.noteChange(space, page);
    this.on(space, page, (relation, block) => this.table.renew(relation, block));
  }

  private noteChange(space: number, page: number): void {
    this.on(space, page, (relation, block) => this.touched.touch(relation, block, false));
    if (this.checkpointSeen && this.changedSince.size < MAX_SPACES) this.changedSince.add(space);
  }

  private cut(space: number, page: number, lsn: number): void {
    const relation = this.spaces.intern(space);
    if (relation < 0) return;
    const known = this.cuts.get(relation);
    this.cuts.set(relation, { page: Math.min(page, known?.page ?? page), lsn: Math.max(lsn, known?.lsn ?? 0) });
  }

  private noteDrop(what: string, space: number): void {
    if (what === 'delete' && this.dropped.size < MAX_SPACES) this.dropped.add(space);
  }

  private require(relation: number, block: number): void {
    if (!this.table.isRestored(this.table.find(relation, block))) this.table.require(relation, block, this.historyLsn);
  }

  /** Something of the tablespace was cut off. */
  wasCut(space: number): boolean {
    return this.cuts.has(this.spaces.find(space));
  }

  /** Recovery writes the header of the tablespace anew, or cuts it off: its size on disk may be of before. */
  isRemade(space: number): boolean {
    const header = this.table.find(this.spaces.find(space), 0);
    return this.table.isRestored(header) || this.trimmed.has(space);
  }

  /** To be called when both parts were read. One pass over all that is known, however often tablespaces were cut off. */
  finish(): void {
    if (this.cuts.size === 0) return;
    this.table.forEach((at, relation, block) => {
      const cut = this.cuts.get(relation);
      if (cut && block >= cut.page && this.table.requiredLsn(at) <= cut.lsn) this.table.release(relation, block);
    });
  }
}
