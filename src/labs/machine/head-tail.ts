/** Keeps the beginning and the end of a stream that may never stop, in bounded memory. */

export class HeadTail {
  private readonly head: Buffer[] = [];
  private headBytes = 0;
  /** The last bytes; a ring, written round and round. Made when the head is full. */
  private ring: Buffer | null = null;
  private ringBytes = 0;
  /** All that ever came. */
  totalBytes = 0;

  /** @param limitBytes kept of each end */
  constructor(private readonly limitBytes: number) {}

  add(chunk: Buffer): void {
    this.totalBytes += chunk.length;
    const forHead = chunk.subarray(0, this.limitBytes - this.headBytes);
    if (forHead.length > 0) this.head.push(Buffer.from(forHead));
    this.headBytes += forHead.length;
    this.addToRing(chunk.subarray(forHead.length));
  }

  /** With a line between the two that says how much was left out. */
  text(): string {
    const left = this.totalBytes - this.headBytes - Math.min(this.ringBytes, this.limitBytes);
    const parts = [...this.head, ...(left > 0 ? [Buffer.from(`\n[${left} bytes left out]\n`)] : []), this.tail()];
    return Buffer.concat(parts).toString('utf8');
  }

  private addToRing(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.ring ??= Buffer.alloc(this.limitBytes);
    const kept = chunk.subarray(Math.max(0, chunk.length - this.limitBytes));
    const at = (this.ringBytes + chunk.length - kept.length) % this.limitBytes;
    const untilEnd = kept.copy(this.ring, at);
    kept.copy(this.ring, 0, untilEnd);
    this.ringBytes += chunk.length;
  }

  private tail(): Buffer {
    if (!this.ring) return Buffer.alloc(0);
    const at = this.ringBytes % this.limitBytes;
    return this.ringBytes <= this.limitBytes ? this.ring.subarray(0, this.ringBytes) : Buffer.concat([this.ring.subarray(at), this.ring.subarray(0, at)]);
  }
}
