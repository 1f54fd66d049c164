/** Guest RAM read out of a stream by physical address, page by page through the index, in bounded memory. */
import { inflateSync } from 'node:zlib';
import type { ByteSource } from '../types.js';
import type { GuestRam } from '../ways.js';
import type { RamSegment } from './address-space.js';
import { broken } from './findings.js';
import { PAGE_BYTES, type RamBlock } from './stream/blocks.js';
import { MappedPages } from './stream/mapped.js';
import type { EncodedPage, PageIndex } from './stream/page-index.js';
import { applyChanges } from './stream/xbzrle.js';

const RUN_PAGES = 256;
/** Pages of one run that lie near each other are read at once: with heads and repeats in between it is cheaper than one by one. */
const MAX_SPREAD = 2 * RUN_PAGES * PAGE_BYTES;

export class StreamRam implements GuestRam {
  readonly ranges: { address: number; lengthBytes: number }[];
  private readonly mapped: (MappedPages | null)[];

  constructor(
    private readonly source: ByteSource,
    blocks: RamBlock[],
    private readonly index: PageIndex,
    private readonly segments: RamSegment[],
  ) {
    this.ranges = merged(segments);
    this.mapped = blocks.map((block) => (block.mapped ? new MappedPages(source, block.mapped, block.sizeBytes) : null));
  }

  async read(address: number, lengthBytes: number): Promise<Buffer> {
    const result = Buffer.alloc(lengthBytes);
    for (let done = 0; done < lengthBytes; ) {
      const { segment, offset } = this.segmentOf(address + done, address, lengthBytes);
      const inPage = (segment.blockOffset + offset) % PAGE_BYTES;
      const length = Math.min(PAGE_BYTES - inPage, lengthBytes - done, segment.lengthBytes - offset);
      const page = Math.floor((segment.blockOffset + offset) / PAGE_BYTES);
      await this.copy(segment.block, page, inPage, result.subarray(done, done + length));
      done += length;
    }
    return result;
  }

  /** Pages that are stored byte by byte come out even when all their bytes are the same: QEMU itself finds only those of zeroes. */
  async *pages(signal: AbortSignal): AsyncGenerator<{ address: number; bytes: Buffer }> {
    const buffer = Buffer.allocUnsafe(RUN_PAGES * PAGE_BYTES);
    for (const segment of this.segments) {
      const first = segment.blockOffset / PAGE_BYTES;
      const end = first + segment.lengthBytes / PAGE_BYTES;
      for (let page = first; page < end; ) {
        signal.throwIfAborted();
        const run = await this.nextRun(segment.block, page, end);
        page = run.page + run.values.length;
        if (run.values.length === 0) break;
        const bytes = buffer.subarray(0, run.values.length * PAGE_BYTES);
        await this.fill(bytes, run.values);
        yield { address: segment.address + (run.page - first) * PAGE_BYTES, bytes };
      }
    }
  }

  /** Pages from the next one that is not one repeated byte, as far as they follow each other. */
  private async nextRun(block: number, from: number, end: number): Promise<{ page: number; values: number[] }> {
    const values: number[] = [];
    let page = from;
    for (; page < end && values.length < RUN_PAGES; page++) {
      if (values.length === 0) page = await this.nextWritten(block, page, end);
      const value = page < end ? await this.valueOf(block, page) : 0;
      if (value > 0 || this.index.encodedPage(value)) values.push(value);
      else if (values.length > 0) break;
    }
    return { page: Math.min(page, end) - values.length, values };
  }

  private nextWritten(block: number, page: number, end: number): Promise<number> | number {
    return this.mapped[block]?.nextWritten(page, end) ?? this.index.nextWritten(block, page, end);
  }

  private valueOf(block: number, page: number): Promise<number> | number {
    return this.mapped[block]?.offsetOf(page) ?? this.index.get(block, page);
  }

  private async fill(target: Buffer, values: number[]): Promise<void> {
    const plain = values.filter((value) => value > 0);
    const low = plain.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
    const high = plain.reduce((most, value) => Math.max(most, value), 0) + PAGE_BYTES;
    const near = plain.length > 0 && high - low <= MAX_SPREAD ? await this.source.read(low, high - low) : null;
    for (const [at, value] of values.entries()) {
      const page = target.subarray(at * PAGE_BYTES, (at + 1) * PAGE_BYTES);
      if (near && value > 0) near.copy(page, 0, value - low, value - low + PAGE_BYTES);
      else (await this.pageOf(value)).copy(page);
    }
  }

  private async copy(block: number, page: number, inPage: number, target: Buffer): Promise<void> {
    const value = await this.valueOf(block, page);
    if (value === 0) return;
    const bytes = value > 0 ? await this.source.read(value + inPage, target.length) : (await this.pageOf(value)).subarray(inPage);
    bytes.copy(target);
  }

  private async pageOf(value: number): Promise<Buffer> {
    const changes: EncodedPage[] = [];
    let base = value;
    let encoded = this.index.encodedPage(base);
    for (; encoded?.kind === 'delta'; encoded = this.index.encodedPage(base)) {
      changes.push(encoded);
      base = encoded.previous;
    }
    const page = encoded ? inflated(await this.contentOf(encoded)) : base > 0 ? await this.source.read(base, PAGE_BYTES) : Buffer.alloc(PAGE_BYTES, -base);
    for (const change of changes.reverse()) applyChanges(page, await this.contentOf(change));
    return page;
  }

  private contentOf({ offset, lengthBytes }: EncodedPage): Promise<Buffer> {
    return this.source.read(offset, lengthBytes);
  }

  private segmentOf(at: number, address: number, lengthBytes: number): { segment: RamSegment; offset: number } {
    const segment = this.segments.find((candidate) => at >= candidate.address && at < candidate.address + candidate.lengthBytes);
    if (!segment) throw new RangeError(`${lengthBytes} bytes at the physical address ${address} are not all RAM`);
    return { segment, offset: at - segment.address };
  }
}

function inflated(bytes: Buffer): Buffer {
  try {
    const page = inflateSync(bytes, { maxOutputLength: PAGE_BYTES });
    if (page.length === PAGE_BYTES) return page;
  } catch {
    // What zlib says of it adds nothing: the page is not there.
  }
  throw broken('stream.garbled', 'a compressed page cannot be unpacked');
}

/** Runs of RAM without their borders between blocks. */
function merged(segments: RamSegment[]): { address: number; lengthBytes: number }[] {
  const ranges: { address: number; lengthBytes: number }[] = [];
  for (const { address, lengthBytes } of segments) {
    const last = ranges.at(-1);
    if (last && last.address + last.lengthBytes === address) last.lengthBytes += lengthBytes;
    else ranges.push({ address, lengthBytes });
  }
  return ranges;
}
