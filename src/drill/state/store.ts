/**
 * A drill that is not finished, in the state folder: its plan, and a journal that only grows. What was verified stands in the ledger; here
 * stands only what the ledger does not say, so that nothing is verified twice after a kill at any moment.
 */
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { DrillItemState } from '../../documents.js';
import { LedgerError } from '../../errors.js';
import type { Plan } from '../plan.js';

/** Below the state folder. */
const DRILLS = 'drills';
const PLAN = 'plan.json';
const JOURNAL = 'journal.jsonl';

export type JournalLine =
  | { at: string; event: 'resumed' }
  | { at: string; event: 'begun'; path: string }
  | { at: string; event: 'ended'; path: string; state: DrillItemState; recordId: string | null; why: string[] };

/** One folder for one policy: its name for people, its path to tell it from another. */
export function drillFolder(stateFolder: string, name: string, policyPath: string): string {
  const mark = createHash('sha256').update(policyPath).digest('hex').slice(0, 10);
  return join(stateFolder, DRILLS, `${name.replace(/[^A-Za-z0-9._-]/g, '_')}-${mark}`);
}

export class DrillStore {
  constructor(private readonly folder: string) {}

  /** Null when none is unfinished, or what is there is not whole: it was never begun. */
  plan(): Plan | null {
    const text = this.read(PLAN);
    try {
      return text === null ? null : (JSON.parse(text) as Plan);
    } catch {
      return null;
    }
  }

  /** Begins a drill: when this returns, a killed run goes on with it. */
  begin(plan: Plan): void {
    this.guarded(() => {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      rmSync(join(this.folder, JOURNAL), { force: true });
      const draft = join(this.folder, `${PLAN}.new`);
      writeDurably(draft, 'w', JSON.stringify(plan));
      renameSync(draft, join(this.folder, PLAN));
      syncFolder(this.folder);
    });
  }

  note(line: JournalLine): void {
    this.guarded(() => writeDurably(join(this.folder, JOURNAL), 'a', `${JSON.stringify(line)}\n`));
  }

  /** Lines that were written whole. */
  journal(): JournalLine[] {
    return (this.read(JOURNAL) ?? '').split('\n').flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as JournalLine];
      } catch {
        return [];
      }
    });
  }

  /** Its document is in the ledger. */
  finish(): void {
    this.guarded(() => {
      rmSync(join(this.folder, PLAN), { force: true });
      rmSync(join(this.folder, JOURNAL), { force: true });
      syncFolder(this.folder);
    });
  }

  private read(name: string): string | null {
    return this.guarded(() => {
      try {
        return readFileSync(join(this.folder, name), 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
        throw error;
      }
    });
  }

  private guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      const message = `The state of the drill in ${this.folder} cannot be kept: ${cause instanceof Error ? cause.message : cause}`;
      throw new LedgerError({ code: 'drill.state', message, advice: 'Make room or give permission, or name another folder with --state.', cause });
    }
  }
}

function writeDurably(path: string, flags: 'w' | 'a', text: string): void {
  const file = openSync(path, flags, 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
