/** The tree of one volume as `find` in the appliance tells it: NUL-separated fields, so that no file name can forge an entry. */
import { posix } from 'node:path';
import { FormatError } from '../../errors.js';
import type { GuestEntry } from '../../types.js';

const FIELDS = ['type', 'size', 'modified', 'uid', 'gid', 'mode', 'target', 'path'] as const;

/** Prints every entry below a mounted volume. Subvolumes of btrfs are entered; nothing else is ever mounted below it. */
export function findCommand(mountPlace: string): string {
  return `cd ${mountPlace} && find . -mindepth 1 -printf '%y\\0%s\\0%T@\\0%U\\0%G\\0%m\\0%l\\0%P\\0'`;
}

/** Entries of one volume by path and by folder. Paths are absolute within the volume. */
export class VolumeListing {
  private readonly entries = new Map<string, GuestEntry>();
  private readonly children = new Map<string, string[]>();

  constructor(volume: string) {
    this.entries.set('/', { location: { volume, path: '/' }, type: 'directory', sizeBytes: 0, target: null, modifiedAt: null, uid: 0, gid: 0, mode: 0o755 });
  }

  get size(): number {
    return this.entries.size;
  }

  add(entry: GuestEntry): void {
    const { path } = entry.location;
    if (this.entries.has(path)) return;
    this.entries.set(path, entry);
    const folder = posix.dirname(path);
    const siblings = this.children.get(folder);
    if (siblings) siblings.push(path);
    else this.children.set(folder, [path]);
  }

  get(path: string): GuestEntry | null {
    return this.entries.get(path) ?? null;
  }

  all(): IterableIterator<GuestEntry> {
    return this.entries.values();
  }

  /** Children of a folder, sorted; with `recursive` everything below it, each folder before its content. */
  below(folder: string, recursive: boolean): GuestEntry[] {
    const result: GuestEntry[] = [];
    const pending = [...(this.children.get(folder) ?? [])].sort().reverse();
    while (pending.length > 0) {
      const entry = this.entries.get(pending.pop() as string) as GuestEntry;
      result.push(entry);
      if (recursive && entry.type === 'directory') pending.push(...[...(this.children.get(entry.location.path) ?? [])].sort().reverse());
    }
    return result;
  }

  /** Takes what `findCommand` printed. */
  static parse(volume: string, printed: Buffer): VolumeListing {
    const listing = new VolumeListing(volume);
    let position = 0;
    const next = (): string => {
      const end = printed.indexOf(0, position);
      if (end < 0) throw new FormatError({ code: 'appliance.listing', message: `the list of files of ${volume} is cut short` });
      const field = printed.toString('utf8', position, end);
      position = end + 1;
      return field;
    };
    while (position < printed.length) listing.add(toEntry(volume, FIELDS.map(next)));
    return listing;
  }
}

function toEntry(volume: string, fields: string[]): GuestEntry {
  const [type, size, modified, uid, gid, mode, target, path] = fields as [string, string, string, string, string, string, string, string];
  return {
    location: { volume, path: `/${path}` },
    type: type === 'f' ? 'file' : type === 'd' ? 'directory' : type === 'l' ? 'symlink' : 'other',
    sizeBytes: Number(size),
    target: type === 'l' ? target : null,
    modifiedAt: instant(modified),
    uid: Number(uid),
    gid: Number(gid),
    mode: Number.parseInt(mode, 8),
  };
}

/** A guest may hold any number as a time; what no calendar holds is no time. */
function instant(secondsText: string): string | null {
  const date = new Date(Number(secondsText) * 1000);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
