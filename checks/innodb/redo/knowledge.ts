/** Gathers what the log says of pages and files, for the judgement of the pages. */
import { BlockTable } from '../../../src/bytes/block-table.js';
import { type MtrVisitor, visitMtr } from '../format/mini-transaction.js';
import type { Mtr } from './mtr-walk.js';
import type { StretchNote, StretchResult } from './stretches/detail.js';
import { MARK, MARK_WORDS } from './stretches/page-marks.js';

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

/** What recovery reads (from the checkpoint on) and what was logged before it, which must be on disk already. */
export class LogKnowledge {
  readonly table = new BlockTable();
  readonly spaces = new SpaceNumbers();
  /** Files named from the checkpoint on, by tablespace. */
  readonly files = new Map<number, FileWord>();
  /** Tablespaces whose deletion is logged anywhere in what was read: their pages were thrown away, and the file may lie there a moment longer. */
  readonly dropped = new Set<number>();
  contradictions = 0;
  mtrs = 0;
  historyMtrs = 0;
  checkpointSeen = false;
  private historyLsn = 0;

  constructor(
    private readonly checkpointLsn: number,
    private readonly encrypted: boolean,
  ) {}

  /** From the checkpoint on. */
  replayed(mtr: Mtr): void {
    this.mtrs++;
    if (!visitMtr(mtr.bytes, mtr.at, mtr.end, this.encrypted, this.forward)) this.contradictions++;
  }

  /** Before the checkpoint, oldest first. `endLsn` is of the lap in which it was written. */
  past(mtr: Mtr, endLsn: number): void {
    this.historyMtrs++;
    this.historyLsn = endLsn;
    if (!visitMtr(mtr.bytes, mtr.at, mtr.end, this.encrypted, this.history)) this.contradictions++;
  }

  /** A single change before the checkpoint, of a log whose records are not all read. `lsn`: the page carries a later one. */
  pastChange(space: number, page: number, lsn: number): void {
    this.historyMtrs++;
    this.on(space, page, (relation, block) => this.table.require(relation, block, lsn));
  }

  /** A stretch that a thread has read. Those of before the checkpoint come oldest first. */
  stretch(result: StretchResult): void {
    if (result.kind === 'replayed') this.mtrs += result.mtrs;
    else this.historyMtrs += result.mtrs;
    const visitor = result.kind === 'replayed' ? this.forward : this.history;
    for (const note of result.notes) tell(visitor, note);
    this.takeMarks(result);
  }

  private takeMarks({ marks, startLsn }: StretchResult): void {
    let [lastSpace, relation] = [-1, -1];
    for (let at = 0; at < marks.length; at += MARK_WORDS) {
      const [space, page] = [(marks[at + 1] as number) >>> 0, (marks[at + 2] as number) >>> 0];
      if (space !== lastSpace) relation = this.spaces.intern(space);
      lastSpace = space;
      if (relation < 0) continue;
      if (marks[at] === MARK.required) this.table.requireOnDisk(relation, page, startLsn + (marks[at + 3] as number));
      else if (marks[at] === MARK.released) this.table.release(relation, page);
      else this.table.renew(relation, page);
    }
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
    write: () => {},
    init: (space, page) => this.on(space, page, (relation, block) => this.table.renew(relation, block)),
    free: (space, page) => this.on(space, page, (relation, block) => this.table.renew(relation, block)),
    trim: (space, page) => this.trimmed.push({ space, page }),
    file: (what, space, name, to) => {
      this.noteDrop(what, space);
      const created = what === 'create' || this.files.get(space)?.created === true;
      if (this.files.size < MAX_SPACES) this.files.set(space, { name: to ?? name, deleted: what === 'delete', created });
    },
    checkpoint: (lsn) => {
      if (lsn === this.checkpointLsn) this.checkpointSeen = true;
    },
  };

  /** Undo tablespaces that recovery cuts off: what lies beyond is of no account. */
  readonly trimmed: { space: number; page: number }[] = [];

  private readonly history: MtrVisitor = {
    write: (space, page) => this.on(space, page, (relation, block) => this.require(relation, block)),
    init: (space, page) => this.on(space, page, (relation, block) => this.require(relation, block)),
    free: (space, page) => this.on(space, page, (relation, block) => this.table.release(relation, block)),
    trim: (space, page) => this.on(space, page, (relation, block) => this.table.truncate(relation, block, Number.POSITIVE_INFINITY)),
    file: (what, space) => this.noteDrop(what, space),
    checkpoint: () => {},
  };

  private noteDrop(what: string, space: number): void {
    if (what === 'delete' && this.dropped.size < MAX_SPACES) this.dropped.add(space);
  }

  private require(relation: number, block: number): void {
    this.table.requireOnDisk(relation, block, this.historyLsn);
  }

  /** Recovery writes the header of the tablespace anew, or cuts it off: its size on disk may be of before. */
  isRemade(space: number): boolean {
    const header = this.table.find(this.spaces.find(space), 0);
    return this.table.isRestored(header) || this.trimmed.some((trim) => trim.space === space);
  }

  /** To be called when both parts were read. */
  finish(): void {
    for (const { space, page } of this.trimmed) this.on(space, page, (relation, block) => this.table.truncate(relation, block, Number.POSITIVE_INFINITY));
  }
}

function tell(visitor: MtrVisitor, note: StretchNote): void {
  if (note.what === 'checkpoint') visitor.checkpoint(note.lsn);
  else if (note.what === 'trim') visitor.trim(note.space, note.page);
  else visitor.file(note.what, note.space, note.name, note.to);
}
