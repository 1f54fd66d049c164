/**
 * The queue of restore points that wait for their verification: hooks of backup programs put them in, a drill takes them out.
 * One file per path below `queue/` of the state folder. Everything is a link or a rename, so that an entry is there whole or not at all,
 * two processes never get the same one, and what a killed process had taken comes back.
 */
import { createHash, randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LabError } from '../../errors.js';
import { identityOf } from '../../process/proc.js';
import { type QueueEntry, readEntry } from './entry.js';
import { holderIsAlive, holderName } from './holder.js';

export type { QueueEntry } from './entry.js';

/** Of the state folder. */
export const QUEUE_FOLDER = 'queue';

export interface QueuedEntry extends QueueEntry {
  state: 'waiting' | 'taken';
}

/** A file of the queue that is no entry: told, never removed. */
export interface UnreadableEntry {
  file: string;
  why: string;
}

/** An entry that this process works on. It must come to `done` or `putBack`. */
export interface TakenEntry extends QueueEntry {
  /** It was verified, or will never be: it leaves the queue. */
  done(): Promise<void>;
  /** It waits again. One that was put in meanwhile stays. */
  putBack(): Promise<void>;
}

export class Spool {
  readonly folder: string;

  /** @param stateFolder that of the ledger */
  constructor(stateFolder: string) {
    this.folder = join(stateFolder, QUEUE_FOLDER);
  }

  /**
   * Puts a path in; a path that waits already stays as it was. One that is being worked on is put in again, because it may have changed.
   * @param path absolute
   * @returns false when it waited already
   * @throws LabError when it cannot be stored
   */
  async add(path: string, by: string, now = new Date()): Promise<boolean> {
    const entry: QueueEntry = { schema: 'snapproof.queue-entry/v1', id: entryId(path), path, enqueuedAt: now.toISOString(), by };
    const draft = join(this.folder, `.${entry.id}.${randomBytes(6).toString('hex')}`);
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 });
      await writeDurably(draft, `${JSON.stringify(entry)}\n`);
      await link(draft, this.waiting(entry.id));
      await syncFolder(this.folder);
      return true;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
      const message = `${path} cannot be put into the queue ${this.folder}: ${(cause as Error).message}`;
      throw new LabError({ code: 'queue.unwritable', message, advice: 'Make room, or let the hook run as the user whose state folder it is.', cause });
    } finally {
      await rm(draft, { force: true });
    }
  }

  /** All entries, the oldest first, and what lies there and is none. */
  async list(): Promise<{ entries: QueuedEntry[]; unreadable: UnreadableEntry[] }> {
    const entries: QueuedEntry[] = [];
    const unreadable: UnreadableEntry[] = [];
    for (const { name, id, holder } of await this.files()) {
      const read = await readEntry(join(this.folder, name), id);
      if (read === null) continue;
      if (typeof read === 'string') unreadable.push({ file: join(this.folder, name), why: read });
      else entries.push({ ...read, state: holder !== null && holderIsAlive(holder) ? 'taken' : 'waiting' });
    }
    entries.sort((a, b) => compare(a.enqueuedAt, b.enqueuedAt) || compare(a.path, b.path));
    return { entries, unreadable };
  }

  /** Takes the entry that has waited longest; null when none waits. What a process took that lives no more is put back first. */
  async take(): Promise<TakenEntry | null> {
    await this.recover();
    const { entries } = await this.list();
    for (const entry of entries.filter(({ state }) => state === 'waiting')) {
      const taken = await this.claim(entry);
      if (taken) return taken;
    }
    return null;
  }

  /** Takes one path, if it waits; null when it does not, or another process has it. */
  async takePath(path: string): Promise<TakenEntry | null> {
    await this.recover();
    const entry = (await this.list()).entries.find((one) => one.path === path && one.state === 'waiting');
    return entry ? this.claim(entry) : null;
  }

  /** Takes one path out, whoever put it in. @returns false when it does not wait */
  async remove(path: string): Promise<boolean> {
    return rm(this.waiting(entryId(path))).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return false;
        throw error;
      },
    );
  }

  private async claim({ state: _state, ...entry }: QueuedEntry): Promise<TakenEntry | null> {
    const own = identityOf(process.pid);
    if (!own) return null;
    const from = this.waiting(entry.id);
    const mine = join(this.folder, `${entry.id}.${holderName(own)}`);
    if (!(await renamed(from, mine))) return null;
    return {
      ...entry,
      done: () => rm(mine, { force: true }),
      putBack: () => this.returnFile(mine, entry.id),
    };
  }

  private async recover(): Promise<void> {
    for (const { name, id, holder } of await this.files()) {
      if (holder !== null && !holderIsAlive(holder)) await this.returnFile(join(this.folder, name), id);
    }
  }

  /** A link never writes over an entry that was put in meanwhile. */
  private async returnFile(taken: string, id: string): Promise<void> {
    await link(taken, this.waiting(id)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST' && error.code !== 'ENOENT') throw error;
    });
    await rm(taken, { force: true });
  }

  private waiting(id: string): string {
    return join(this.folder, `${id}.json`);
  }

  private async files(): Promise<{ name: string; id: string; holder: string | null }[]> {
    const names = await readdir(this.folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return names.flatMap((name) => {
      const [, id, rest] = /^([0-9a-f]{32})\.(json|taken-[0-9a-f-]+)$/.exec(name) ?? [];
      return id === undefined || rest === undefined ? [] : [{ name, id, holder: rest === 'json' ? null : rest }];
    });
  }
}

/** The same for the same path. */
function entryId(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 32);
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await folder.sync().finally(() => folder.close());
}

/** False when another process was faster. */
async function renamed(from: string, to: string): Promise<boolean> {
  return rename(from, to).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
