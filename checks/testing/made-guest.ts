/**
 * A guest whose files exist in name and in a few bytes each, the rest being holes: hundreds of thousands of files and files of any size,
 * in the memory and on the disk of one test. Same interface and same rules as the files of a real guest.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { posix } from 'node:path';
import { composeMap, wholeSource } from '../../src/bytes/map.js';
import type { CheckContext, EngineFinder, GuestTree } from '../../src/check.js';
import type { ByteMap, DatabaseInstance, GuestEntry, GuestFiles, GuestLocation, SourceSpec } from '../../src/types.js';
import { contextOver } from './folder-guest.js';

/** Bytes at a place of a file; what no part holds reads as zeroes. */
export interface Part {
  offset: number;
  bytes: Uint8Array;
}

interface Placed {
  offset: number;
  lengthBytes: number;
  innerOffset: number;
}

const MAX_LINKS = 40;
const MAX_KEPT = 1000;
const VOLUME = 'disk0/p1';

export class MadeGuest implements GuestFiles {
  private readonly entries = new Map<string, GuestEntry>();
  private readonly children = new Map<string, string[]>();
  private readonly parts = new Map<string, Placed[]>();
  private readonly store: number;
  private readonly kept = new Map<Uint8Array, number>();
  private stored = 0;
  /** How often a file was asked for. */
  mapped = 0;

  /** @param path a host file that takes the bytes; the test removes it. */
  constructor(private readonly path: string) {
    this.store = openSync(path, 'w');
    this.note('/', 'directory', 0, null);
  }

  close(): void {
    closeSync(this.store);
  }

  file(path: string, sizeBytes: number, parts: Part[] = []): this {
    this.parts.set(
      path,
      parts.map(({ offset, bytes }) => ({ offset, lengthBytes: bytes.length, innerOffset: this.keep(bytes) })),
    );
    this.note(path, 'file', sizeBytes, null);
    return this;
  }

  folder(path: string): this {
    this.note(path, 'directory', 0, null);
    return this;
  }

  link(path: string, target: string): this {
    this.note(path, 'symlink', target.length, target);
    return this;
  }

  remove(path: string): void {
    this.entries.delete(path);
    this.parts.delete(path);
  }

  get paths(): string[] {
    return [...this.entries.keys()];
  }

  tree(): GuestTree {
    const entries = [...this.entries.values()];
    return { files: this, entries: () => entries };
  }

  async find(finder: EngineFinder): Promise<{ instances: DatabaseInstance[]; context: CheckContext<unknown> }> {
    const instances = await finder.find(this.tree());
    const context = contextOver('/nonexistent', { options: {}, databases: instances, labs: { files: this } });
    return { instances, context };
  }

  async stat(location: GuestLocation): Promise<GuestEntry | null> {
    return this.entries.get(posix.normalize(location.path)) ?? null;
  }

  async list(folder: GuestLocation, options: { recursive?: boolean } = {}): Promise<GuestEntry[]> {
    const found: GuestEntry[] = [];
    const pending = [posix.normalize(folder.path)];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      for (const path of this.children.get(next) ?? []) {
        const entry = this.entries.get(path);
        if (entry) found.push(entry);
        if (options.recursive && entry?.type === 'directory') pending.push(path);
      }
    }
    return found.sort((a, b) => (a.location.path < b.location.path ? -1 : 1));
  }

  async resolve(location: GuestLocation): Promise<GuestLocation | null> {
    let rest = location.path.split('/').filter(Boolean);
    let done = '/';
    for (let links = 0; rest.length > 0; ) {
      const [name, ...others] = rest as [string, ...string[]];
      const entry = this.entries.get(posix.join(done, name));
      if (!entry) return null;
      rest = others;
      if (entry.type !== 'symlink' || entry.target === null) {
        done = entry.location.path;
        continue;
      }
      if (++links > MAX_LINKS) return null;
      if (entry.target.startsWith('/')) done = '/';
      rest = [...entry.target.split('/').filter(Boolean), ...rest];
    }
    return { volume: location.volume, path: done };
  }

  async map(files: GuestLocation[]): Promise<(ByteMap | null)[]> {
    this.mapped += files.length;
    const spec: SourceSpec = { kind: 'file', path: this.path };
    const whole = wholeSource(spec, this.stored);
    return files.map(({ path }) => {
      const entry = this.entries.get(posix.normalize(path));
      if (entry?.type !== 'file') return null;
      return composeMap(
        entry.sizeBytes,
        (this.parts.get(entry.location.path) ?? []).map((part) => ({ ...part, inner: whole })),
      );
    });
  }

  /** Where the bytes lie: the same buffer is kept once, however many files hold it. */
  private keep(bytes: Uint8Array): number {
    const known = this.kept.get(bytes);
    if (known !== undefined) return known;
    const at = this.stored;
    writeSync(this.store, bytes, 0, bytes.length, at);
    this.stored += bytes.length;
    if (this.kept.size < MAX_KEPT) this.kept.set(bytes, at);
    return at;
  }

  private note(path: string, type: GuestEntry['type'], sizeBytes: number, target: string | null): void {
    const location = { volume: VOLUME, path };
    const known = this.entries.has(path);
    this.entries.set(path, { location, type, sizeBytes, target, modifiedAt: null, uid: 0, gid: 0, mode: 0o644 });
    if (known || path === '/') return;
    const parent = posix.dirname(path);
    if (!this.entries.has(parent)) this.folder(parent);
    const beside = this.children.get(parent);
    if (beside) beside.push(path);
    else this.children.set(parent, [path]);
  }
}
