/**
 * Settings of a guest, read within bounds: a guest decides what its files say and how many there are, not how long we read them.
 */
import { posix } from 'node:path';
import { readGuestFile } from '../../bytes/read-file.js';
import { fromSystemRoot } from '../../labs/appliance/links.js';
import type { GuestFiles, GuestLocation, OperatingSystem } from '../../types.js';

const MAX_FILE_BYTES = 256 * 1024;
const MAX_FILES = 600;
const MAX_ALL_BYTES = 16 * 1024 * 1024;
const MAX_MATCHES = 100;
const MAX_NAMES = 2000;

export class GuestReader {
  private readonly texts = new Map<string, Promise<string | null>>();
  private leftBytes = MAX_ALL_BYTES;

  constructor(
    private readonly files: GuestFiles,
    private readonly system: OperatingSystem,
  ) {}

  /** The beginning of a file; null when there is none, or too many were read before it. */
  text(path: string): Promise<string | null> {
    const clean = posix.normalize(posix.join('/', path));
    let text = this.texts.get(clean);
    if (!text && this.texts.size < MAX_FILES) {
      text = this.readNow(clean);
      this.texts.set(clean, text);
    }
    return text ?? Promise.resolve(null);
  }

  /** The first of several places where there is a file. */
  async first(paths: string[]): Promise<{ path: string; text: string } | null> {
    const texts = await Promise.all(paths.map((path) => this.text(path)));
    const at = texts.findIndex((text) => text !== null);
    return at < 0 ? null : { path: paths[at] ?? '', text: texts[at] ?? '' };
  }

  /** All of several that are there. */
  async all(paths: string[]): Promise<{ path: string; text: string }[]> {
    const texts = await Promise.all(paths.map((path) => this.text(path)));
    return paths.flatMap((path, index) => {
      const text = texts[index];
      return text == null ? [] : [{ path, text }];
    });
  }

  async exists(path: string): Promise<boolean> {
    return (await this.resolved(path)) !== null;
  }

  /** Names in a folder, sorted. */
  async names(folder: string): Promise<string[]> {
    const place = await this.resolved(folder);
    const entries = place ? await this.files.list(place) : [];
    return entries.slice(0, MAX_NAMES).map(({ location }) => posix.basename(location.path));
  }

  /** Text of a symbolic link; null when it is none. */
  async link(path: string): Promise<string | null> {
    const folder = await this.resolved(posix.dirname(path));
    const entry = folder && (await this.files.stat({ volume: folder.volume, path: posix.join(folder.path, posix.basename(path)) }));
    return entry?.target ?? null;
  }

  /** Paths that a pattern of a shell (`*`, `?`) means. */
  async glob(pattern: string): Promise<string[]> {
    let found = ['/'];
    for (const part of posix.normalize(pattern).split('/').filter(Boolean)) {
      const next: string[] = [];
      for (const folder of found.slice(0, MAX_MATCHES)) {
        if (!/[*?]/.test(part)) next.push(posix.join(folder, part));
        else for (const name of await this.names(folder)) if (!name.startsWith('.') && isMatch(name, part)) next.push(posix.join(folder, name));
      }
      found = next.slice(0, MAX_MATCHES);
    }
    return found;
  }

  private async readNow(path: string): Promise<string | null> {
    const place = this.place(path);
    const bytes = place && this.leftBytes > 0 ? await readGuestFile(this.files, place, MAX_FILE_BYTES) : null;
    this.leftBytes -= bytes?.length ?? 0;
    return bytes ? bytes.toString('utf8') : null;
  }

  private async resolved(path: string): Promise<GuestLocation | null> {
    const place = this.place(path);
    return place && this.files.resolve(place);
  }

  private place(path: string): GuestLocation | null {
    return path.includes('\0') ? null : fromSystemRoot(posix.join('/', path), this.system.root.volume, [this.system]);
  }
}

/** In time proportional to both lengths: a pattern of stars must not cost more. */
export function isMatch(name: string, pattern: string): boolean {
  let at = 0;
  let star = -1;
  let retry = 0;
  let wanted = 0;
  while (at < name.length) {
    if (pattern[wanted] === '*') {
      star = wanted++;
      retry = at;
    } else if (pattern[wanted] === '?' || pattern[wanted] === name[at]) {
      at++;
      wanted++;
    } else if (star >= 0) {
      wanted = star + 1;
      at = ++retry;
    } else return false;
  }
  while (pattern[wanted] === '*') wanted++;
  return wanted === pattern.length;
}
