/** The tree of one volume as `find` in the appliance tells it: NUL-separated fields, so that no file name can forge an entry. */
import { posix } from 'node:path';
import { FormatError } from '../../errors.js';
import type { GuestEntry } from '../../types.js';
import { shellQuote } from '../lab.js';

const FIELDS = ['place', 'type', 'size', 'modified', 'uid', 'gid', 'mode', 'target', 'path'] as const;
const END = 'end\0';

/** Prints every entry below mounted volumes, and an end mark. Subvolumes of btrfs are entered; nothing else is ever mounted below them. */
export function findCommand(places: string[]): string {
  return `find ${places.map(shellQuote).join(' ')} -mindepth 1 -printf '%H\\0%y\\0%s\\0%T@\\0%U\\0%G\\0%m\\0%l\\0%P\\0'; printf 'end\\0'`;
}

/**
 * Takes what `findCommand` printed.
 * @param places mount place by volume id. @throws FormatError when it is cut short or does not hold what was asked.
 */
export function parseListings(printed: Buffer, places: Map<string, string>): Map<string, VolumeListing> {
  const listings = new Map([...places.keys()].map((volume) => [volume, new VolumeListing(volume)]));
  const volumes = new Map([...places].map(([volume, place]) => [place, volume]));
  if (printed.toString('latin1', printed.length - END.length) !== END) throw cutShort();
  for (const fields of records(printed.subarray(0, printed.length - END.length))) {
    const volume = volumes.get(fields[0] as string);
    if (volume === undefined) throw cutShort();
    listings.get(volume)?.add(toEntry(volume, fields.slice(1)));
  }
  return listings;
}

function* records(printed: Buffer): Generator<string[]> {
  let position = 0;
  const next = (): string => {
    const end = printed.indexOf(0, position);
    if (end < 0) throw cutShort();
    const field = printed.toString('utf8', position, end);
    position = end + 1;
    return field;
  };
  while (position < printed.length) yield FIELDS.map(next);
}

function cutShort(): FormatError {
  return new FormatError({ code: 'appliance.listing', message: 'the list of files from the appliance is cut short' });
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
