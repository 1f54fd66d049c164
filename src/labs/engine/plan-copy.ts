/** What a copy of a data directory consists of: its tree, and what its links lead to, also on other disks. */
import { posix } from 'node:path';
import { LabError } from '../../errors.js';
import type { DatabaseInstance, GuestEntry, GuestFiles, GuestLocation } from '../../types.js';

export interface CopyPlan {
  /** Paths relative to the folder of the copy, parents before children. */
  folders: string[];
  files: { path: string; location: GuestLocation; sizeBytes: number }[];
  /** `target` relative to the folder of the copy. */
  links: { path: string; target: string }[];
  /** Links that lead out of the restore point: `pg_tblspc/16400 -> /mnt/fast`. */
  missing: string[];
  /** Where the asked-for parts come to lie, by name. */
  parts: Record<string, string>;
  totalBytes: number;
}

/** The data directory itself. */
export const DATA = 'data';
/** More entries than any real data directory holds. */
const MAX_ENTRIES = 2_000_000;
/** Each linked folder may hold links again. */
const MAX_LINKED_FOLDERS = 1000;

/**
 * Links are followed inside the guest only. A linked folder is copied beside the data directory, once, and linked anew;
 * a linked file is copied in its place. @throws LabError when there is too much of it.
 */
export async function planCopy(files: GuestFiles, instance: DatabaseInstance, leaveOut: (path: string) => boolean, parts: string[] = []): Promise<CopyPlan> {
  const planner = new Planner(files, instance, leaveOut);
  return planner.plan(parts);
}

class Planner {
  private readonly plan_: CopyPlan = { folders: [], files: [], links: [], missing: [], parts: {}, totalBytes: 0 };
  private readonly places = new Map<string, string>();
  private readonly queue: { from: GuestLocation; to: string }[] = [];

  constructor(
    private readonly files: GuestFiles,
    private readonly instance: DatabaseInstance,
    private readonly leaveOut: (path: string) => boolean,
  ) {}

  async plan(parts: string[]): Promise<CopyPlan> {
    this.enqueue(this.instance.location, DATA);
    for (const { what, target, location } of this.instance.links.filter((link) => parts.includes(link.what))) {
      if (location) this.plan_.parts[what] = this.enqueue(location, `linked/${this.places.size}`);
      else this.plan_.missing.push(`${what} -> ${target}`);
    }
    for (let next = this.queue.shift(); next; next = this.queue.shift()) await this.take(next.from, next.to);
    return this.plan_;
  }

  /** Where in the copy this folder of the guest comes to lie. */
  private enqueue(from: GuestLocation, to: string): string {
    const key = `${from.volume}\0${from.path}`;
    const known = this.places.get(key);
    if (known) return known;
    if (this.places.size >= MAX_LINKED_FOLDERS) throw tooMuch(`more than ${MAX_LINKED_FOLDERS} linked folders`);
    this.places.set(key, to);
    this.queue.push({ from, to });
    return to;
  }

  private async take(from: GuestLocation, to: string): Promise<void> {
    this.plan_.folders.push(to);
    const entries = await this.files.list(from, { recursive: true });
    for (const entry of [...entries].sort(byPath)) {
      const inside = posix.relative(from.path, entry.location.path);
      if (inside === '' || inside.split('/').includes('..')) continue;
      const path = `${to}/${inside}`;
      if (entry.type === 'directory') this.plan_.folders.push(path);
      else if (entry.type === 'file') this.addFile(path, entry, to === DATA && this.leaveOut(inside));
      else if (entry.type === 'symlink') await this.follow(path, entry, to === DATA ? inside : null);
    }
    if (this.plan_.folders.length + this.plan_.files.length > MAX_ENTRIES) throw tooMuch(`more than ${MAX_ENTRIES} files`);
  }

  private addFile(path: string, entry: GuestEntry, left: boolean): void {
    if (left) return;
    this.plan_.files.push({ path, location: entry.location, sizeBytes: entry.sizeBytes });
    this.plan_.totalBytes += entry.sizeBytes;
  }

  /** @param inside its path in the data directory, by which the finder may know where it leads. */
  private async follow(path: string, entry: GuestEntry, inside: string | null): Promise<void> {
    if (inside !== null && this.leaveOut(inside)) return;
    const known = this.instance.links.find(({ what }) => what === inside)?.location ?? null;
    const location = known ?? (await this.files.resolve(entry.location));
    const target = location && (await this.files.stat(location));
    if (target?.type === 'file') this.addFile(path, target, false);
    else if (location && (target?.type === 'directory' || location.path === '/'))
      this.plan_.links.push({ path, target: this.enqueue(location, `linked/${this.places.size}`) });
    else this.plan_.missing.push(`${inside ?? path} -> ${entry.target ?? '?'}`);
  }
}

function byPath(a: GuestEntry, b: GuestEntry): number {
  return a.location.path < b.location.path ? -1 : 1;
}

function tooMuch(what: string): LabError {
  return new LabError({ code: 'engine.copy.size', message: `the data directory cannot be copied: it holds ${what}` });
}
