/** Pages of one database by number: read, held against the page inventory, and claimed once each. */
import type { Problems } from '../../src/bytes/problems.js';
import type { ByteSource } from '../../src/types.js';
import { type Geometry, inventoryPage, TYPE_NAMES, TYPES } from './format/page.js';

/** More are not judged: one bit each is kept. */
export const MAX_PAGES = 2 ** 30;
const KEPT_PAGES = 512;
const KEPT_INVENTORIES = 2048;

export class Pages {
  readonly count: number;
  visited = 0;
  private readonly claimed: Uint8Array;
  private readonly kept = new Map<number, Buffer>();
  private readonly inventories = new Map<number, Buffer | null>();

  constructor(
    private readonly source: ByteSource,
    readonly geometry: Geometry,
    private readonly problems: Problems,
    private readonly file: string,
    private readonly signal: AbortSignal,
    private readonly progress: (visited: number) => void,
  ) {
    this.count = Math.min(MAX_PAGES, Math.floor(source.sizeBytes / geometry.pageBytes));
    this.claimed = new Uint8Array(Math.ceil(this.count / 8));
  }

  damaged(code: string, page: number, what: string): null {
    this.problems.damaged(`firebird.${code}`, `Page ${page} ${what}.`, { file: this.file, page });
    return null;
  }

  /** The page that something points to: there, in use, of the right type, with its own number, and claimed by nothing else. Null when not. */
  async claim(page: number, type: number, by: string): Promise<Buffer | null> {
    const bytes = await this.look(page);
    if (!bytes) return this.damaged('page.outside', page, `lies beyond the end of the file, and ${by} points to it`);
    const bit = 1 << (page & 7);
    if ((this.claimed[page >> 3] ?? 0) & bit) return this.damaged('page.used-twice', page, `belongs to ${by} and to something else`);
    this.claimed[page >> 3] = (this.claimed[page >> 3] ?? 0) | bit;
    if (bytes[0] !== type) return this.damaged('page.type', page, `should be ${TYPE_NAMES[type]} page of ${by}, and is ${describeType(bytes)}`);
    if (bytes.readUInt32LE(12) !== page) return this.damaged('page.misplaced', page, `bears the number ${bytes.readUInt32LE(12)}, and ${by} points to it`);
    if ((await this.isFree(page)) === true) this.damaged('page.free', page, `is free in the page inventory, and ${by} points to it`);
    return bytes;
  }

  /** Any page; null beyond the end. */
  async look(page: number): Promise<Buffer | null> {
    if (page >= this.count) return null;
    const known = this.kept.get(page);
    if (known) return known;
    this.signal.throwIfAborted();
    const bytes = await this.source.read(page * this.geometry.pageBytes, this.geometry.pageBytes);
    this.kept.set(page, bytes);
    const oldest = this.kept.size > KEPT_PAGES ? this.kept.keys().next().value : undefined;
    if (oldest !== undefined) this.kept.delete(oldest);
    if (++this.visited % 1024 === 0) this.progress(this.visited);
    return bytes;
  }

  /** Null when the inventory page is damaged, which is told once. */
  private async isFree(page: number): Promise<boolean | null> {
    const index = Math.floor(page / this.geometry.perInventory);
    let inventory = this.inventories.get(index);
    if (inventory === undefined) {
      if (this.inventories.size >= KEPT_INVENTORIES) this.inventories.clear();
      inventory = await this.readInventory(inventoryPage(index, this.geometry));
      this.inventories.set(index, inventory);
    }
    const at = page % this.geometry.perInventory;
    return inventory ? ((inventory[28 + (at >> 3)] ?? 0) & (1 << (at & 7))) !== 0 : null;
  }

  private async readInventory(page: number): Promise<Buffer | null> {
    const bytes = await this.look(page);
    if (bytes?.[0] === TYPES.inventory && bytes.readUInt32LE(12) === page) return bytes;
    return this.damaged('inventory', page, 'should be a page inventory page, and is not');
  }
}

function describeType(bytes: Buffer): string {
  if (bytes.every((byte) => byte === 0)) return 'all zeroes';
  const name = TYPE_NAMES[bytes[0] ?? 0];
  return name ? `${name} page` : `of the unknown type ${bytes[0]}`;
}
