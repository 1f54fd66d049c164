/** The memory of a running process as if it were the RAM of a guest: its writable pages, scattered as an operating system scatters them. Page cache is not in it. */
import { closeSync, openSync, readFileSync, readSync, statSync, writeSync } from 'node:fs';
import type { GuestRam } from '../../../src/ways.js';

const PAGE_BYTES = 4096;
const CHUNK_BYTES = 2 ** 20;

/** Writes the pages of a stopped process that are not one repeated byte to a file, in an order of chance. */
export function saveMemory(pid: number, path: string): void {
  const pages = readPages(pid);
  for (let last = pages.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [pages[last], pages[other]] = [pages[other] as Buffer, pages[last] as Buffer];
  }
  const file = openSync(path, 'w');
  for (let at = 0; at < pages.length; at += 256) writeSync(file, Buffer.concat(pages.slice(at, at + 256)));
  closeSync(file);
}

function readPages(pid: number): Buffer[] {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const pages: Buffer[] = [];
  for (const { from, to } of writableRegions(pid)) {
    for (let at = from; at < to; at += CHUNK_BYTES) {
      const bytes = Buffer.alloc(Math.min(CHUNK_BYTES, to - at));
      const count = readSync(memory, bytes, 0, bytes.length, at);
      for (let page = 0; page + PAGE_BYTES <= count; page += PAGE_BYTES) {
        const one = bytes.subarray(page, page + PAGE_BYTES);
        if (!one.equals(Buffer.alloc(PAGE_BYTES, one[0]))) pages.push(one);
      }
    }
  }
  closeSync(memory);
  return pages;
}

/** Those of which anything is in memory. */
function writableRegions(pid: number): { from: number; to: number }[] {
  const regions: { from: number; to: number }[] = [];
  let region: { from: number; to: number } | null = null;
  for (const line of readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (\S+) /.exec(line);
    if (head) region = head[3] === 'rw-p' ? { from: Number.parseInt(head[1] ?? '', 16), to: Number.parseInt(head[2] ?? '', 16) } : null;
    const resident = /^Rss: +(\d+) kB/.exec(line);
    if (resident && resident[1] !== '0' && region) regions.push(region);
  }
  return regions;
}

/** What `saveMemory` wrote, as RAM. */
export class PageFileRam implements GuestRam {
  readonly ranges: { address: number; lengthBytes: number }[];

  /** @param lost share of the pages that are used for something else by now */
  constructor(
    private readonly path: string,
    private readonly lost = 0,
  ) {
    this.ranges = [{ address: 0, lengthBytes: statSync(path).size }];
  }

  async read(address: number, lengthBytes: number): Promise<Buffer> {
    const file = openSync(this.path, 'r');
    const bytes = Buffer.alloc(lengthBytes);
    const count = readSync(file, bytes, 0, lengthBytes, address);
    closeSync(file);
    if (count < lengthBytes) throw new RangeError(`${address} is not in RAM`);
    return bytes;
  }

  async *pages(signal: AbortSignal): AsyncIterable<{ address: number; bytes: Buffer }> {
    const file = openSync(this.path, 'r');
    const bytes = Buffer.alloc(CHUNK_BYTES);
    try {
      for (let address = 0; ; address += CHUNK_BYTES) {
        signal.throwIfAborted();
        const count = readSync(file, bytes, 0, CHUNK_BYTES, address);
        if (count === 0) return;
        for (let page = 0; page < count; page += PAGE_BYTES) if (Math.random() < this.lost) bytes.fill('lost', page, page + PAGE_BYTES);
        yield { address, bytes: bytes.subarray(0, count) };
      }
    } finally {
      closeSync(file);
    }
  }
}
