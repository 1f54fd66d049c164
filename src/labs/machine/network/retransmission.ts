/**
 * When to send again. The first time after a fixed wait, each further one after twice as long (RFC 6298, 5.5), up to eight times: the link
 * loses nothing, but a guest in software emulation can be slow, and slow must not be taken for dead.
 */

const MAX_BACKOFF = 8;

export class Retransmission {
  private timer: NodeJS.Timeout | null = null;
  private backoff = 1;

  constructor(
    private readonly firstMs: number,
    private readonly late: () => void,
  ) {}

  /** Runs if it does not run yet. */
  start(): void {
    this.timer ??= setTimeout(() => this.fire(), this.firstMs * this.backoff).unref();
  }

  stop(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
  }

  /** Something has arrived: the next wait is short again. */
  reset(): void {
    this.stop();
    this.backoff = 1;
  }

  private fire(): void {
    this.timer = null;
    this.backoff = Math.min(MAX_BACKOFF, this.backoff * 2);
    this.late();
  }
}
