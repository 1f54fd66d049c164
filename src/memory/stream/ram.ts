/**
 * The RAM sections of a stream: words of be64, an address within a block with flags in its low bits, each followed by what the
 * flags say. Repeats are normal (the guest ran on while it was saved): the last one wins.
 * Source: docs/devel/migration/main.rst of QEMU, scripts/analyze-migration.py, and streams of QEMU 7.2.
 */
import { type Cursor, MAX_FIELD_BYTES, type Reading } from '../../bytes/cursor.js';
import { broken, type MemoryFindings, quoted } from '../findings.js';
import { PAGE_BYTES, type RamBlock, readBlockList } from './blocks.js';
import { PageIndex } from './page-index.js';

const FLAG = { fill: 0x02, list: 0x04, page: 0x08, end: 0x10, same: 0x20, delta: 0x40, zlib: 0x100, flush: 0x200 };
const WORD_BYTES = 8;
const MAX_ENCODED_BYTES = 2 * PAGE_BYTES;
/** A word, the name of a block, and the longest that can follow. */
const LONGEST_ITEM = WORD_BYTES + 256 + 4 + MAX_ENCODED_BYTES;

/** What of the words was taken. `list`: a list of blocks comes next, its word is still to be read. */
interface Taken {
  bytes: number;
  stop: 'end' | 'list' | null;
}

export class RamReader {
  blocks: RamBlock[] = [];
  index = new PageIndex([]);
  /** Pages in the stream, repeats counted. */
  pages = 0;
  private readonly byName = new Map<string, number>();
  private current = -1;

  /** @param fileOffset of the stream in its file. */
  constructor(
    private readonly findings: MemoryFindings,
    private readonly fileOffset: number,
  ) {}

  /** One section, to behind its end. Throws FormatError where it cannot be followed. */
  *section(cursor: Cursor): Reading<void> {
    for (;;) {
      const view = yield* cursor.peek(Math.min(MAX_FIELD_BYTES, Math.max(WORD_BYTES, cursor.left)));
      const { bytes, stop } = this.take(view, cursor.position);
      // The view holds the longest item, or the stream ends in it.
      if (bytes === 0 && stop === null) yield* cursor.need(Math.min(cursor.left + 1, LONGEST_ITEM));
      yield* cursor.skip(bytes);
      if (stop === 'end') return;
      if (stop === 'list') yield* this.list(cursor);
    }
  }

  private *list(cursor: Cursor): Reading<void> {
    const word = (yield* cursor.bytes(WORD_BYTES)).readBigUInt64BE(0);
    if (this.blocks.length > 0) throw broken('stream.garbled', `a second list of RAM blocks stands at ${cursor.position - WORD_BYTES}`);
    this.blocks = yield* readBlockList(cursor, Number(word & ~BigInt(PAGE_BYTES - 1)), this.fileOffset);
    this.index = new PageIndex(this.blocks);
    for (const [index, { name }] of this.blocks.entries()) this.byName.set(name, index);
  }

  /** As many whole items as the view holds. */
  private take(view: Buffer, base: number): Taken {
    let at = 0;
    while (at + WORD_BYTES <= view.length) {
      const flags = view.readUInt32BE(at + 4) & (PAGE_BYTES - 1);
      if (flags & FLAG.list) return { bytes: at, stop: 'list' };
      if (flags === FLAG.end) return { bytes: at + WORD_BYTES, stop: 'end' };
      const end = flags === FLAG.flush ? at + WORD_BYTES : this.page(view, at, base, flags);
      if (end > view.length) break;
      at = end;
    }
    return { bytes: at, stop: null };
  }

  /** Gives where it ends; nothing is kept of a page that ends behind the view. */
  private page(view: Buffer, start: number, base: number, flags: number): number {
    const named = (flags & FLAG.same) === 0;
    const nameAt = start + WORD_BYTES;
    const at = named ? nameAt + 1 + (view[nameAt] ?? view.length) : nameAt;
    const end = contentEnd(view, at, flags & ~FLAG.same, base);
    if (end > view.length) return end;
    if (named) this.enter(view.toString('latin1', nameAt + 1, at), base + start);
    const address = view.readUInt32BE(start) * 2 ** 32 + (view.readUInt32BE(start + 4) - flags);
    this.pages++;
    if (this.holds(address, base + start)) this.keep(view, at, end, base, address / PAGE_BYTES, flags);
    return end;
  }

  private keep(view: Buffer, at: number, end: number, base: number, page: number, flags: number): void {
    const position = base + at;
    if (flags & FLAG.page) this.index.set(this.current, page, position, position);
    else if (flags & FLAG.fill) this.index.set(this.current, page, -(view[at] as number), position);
    else {
      const kind = flags & FLAG.delta ? 'delta' : 'zlib';
      const skipped = kind === 'delta' ? 3 : 4;
      this.index.setEncoded(this.current, page, { kind, offset: position + skipped, lengthBytes: end - at - skipped }, position);
    }
  }

  private enter(name: string, at: number): void {
    this.current = this.byName.get(name) ?? -1;
    if (this.current >= 0) return;
    this.findings.add('critical', 'stream.page-outside', `A page at ${at} is of the RAM block ${quoted(name)}, which the stream does not list.`, {
      offset: at,
    });
  }

  private holds(address: number, at: number): boolean {
    const block = this.blocks[this.current];
    if (!block) return false;
    if (address < block.sizeBytes) return true;
    const message = `A page at ${at} lies outside of the RAM block ${quoted(block.name)}.`;
    this.findings.add('critical', 'stream.page-outside', message, { offset: at, address });
    return false;
  }
}

/** Where the content of a page at `at` ends. XBZRLE: a byte that is 1, be16 length. zlib: be32 length. */
function contentEnd(view: Buffer, at: number, kind: number, base: number): number {
  if (kind === FLAG.page) return at + PAGE_BYTES;
  if (kind === FLAG.fill) return at + 1;
  if (kind !== FLAG.delta && kind !== FLAG.zlib) {
    throw broken('stream.garbled', `no page of RAM stands where one must, before byte ${base + at} (flags ${kind.toString(16)})`);
  }
  const head = kind === FLAG.delta ? 3 : 4;
  if (at + head > view.length) return view.length + 1;
  const length = kind === FLAG.delta ? view.readUInt16BE(at + 1) : view.readUInt32BE(at);
  const wrong = kind === FLAG.delta ? view[at] !== 1 || length > PAGE_BYTES : length > MAX_ENCODED_BYTES;
  if (wrong) throw broken('stream.garbled', `the encoded page at ${base + at} has no possible length`);
  return at + head + length;
}
