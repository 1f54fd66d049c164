/** Reads the log before redo, as far back as segments follow each other and records are valid. Every page is read once. */
import type { LogChunks } from './chunks.js';
import type { WalInventory } from './inventory.js';
import { type WalGeometry, WalReader, type WalRecord } from './reader.js';

export interface HistoryRequest {
  inventory: WalInventory;
  geometry: WalGeometry;
  redo: number;
  /** How far back at most. */
  historyBytes: number;
  visit: (record: WalRecord) => boolean;
  /** There is a gap: what was logged before it may have been undone within it. */
  forget(): void;
}

export async function readHistory(chunks: LogChunks, request: HistoryRequest): Promise<{ from: number; records: number }> {
  const { geometry, redo } = request;
  const history = new History(request);
  await chunks.each(history.begin, redo, (bytes, count, address) => {
    for (let at = 0; at + geometry.pageBytes <= count && address + at < redo; at += geometry.pageBytes) history.take(bytes, at, address + at);
    return true;
  });
  return history.end();
}

class History {
  begin: number;
  private reader: WalReader;
  private next: number;

  constructor(private readonly request: HistoryRequest) {
    const { redo, geometry, historyBytes, inventory } = request;
    this.begin = redo - (redo % geometry.segmentBytes);
    while (inventory.segments.has(this.begin - geometry.segmentBytes) && redo - this.begin < historyBytes) this.begin -= geometry.segmentBytes;
    this.reader = this.fresh(this.begin);
    this.next = this.begin;
  }

  take(bytes: Buffer, at: number, address: number): void {
    this.next = address + this.request.geometry.pageBytes;
    if (this.reader.feed(bytes, at, address) || this.reader.position >= this.request.redo) return;
    const tried = this.begin === address;
    this.restart(tried ? this.next : address);
    if (!tried && !this.reader.feed(bytes, at, address)) this.restart(this.next);
  }

  end(): { from: number; records: number } {
    const { redo } = this.request;
    if (this.next < redo) this.restart(redo); // a segment is shorter than it must be
    return this.begin < redo ? { from: this.begin, records: this.reader.records } : { from: redo, records: 0 };
  }

  private restart(address: number): void {
    this.request.forget();
    this.begin = address;
    this.reader = this.fresh(address);
  }

  private fresh(address: number): WalReader {
    return new WalReader({ ...this.request.geometry, leastTimeline: 0 }, address, true, this.request.visit);
  }
}
