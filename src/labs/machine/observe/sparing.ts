/** A question that costs the guest time: while QEMU answers, it stands. */

/** The answers may take this part of all time. */
const SHARE = 1 / 25;
/** An answer is never older than that. */
const OLDEST_MS = 2_000;

/** Asks no more often than that allows, and gives the last answer again meanwhile. */
export class Sparing<T> {
  private answer: { value: T; nextAt: number } | null = null;

  /** @param now milliseconds of a clock that never goes back */
  constructor(
    private readonly ask: () => Promise<T>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  async get(): Promise<T> {
    const start = this.now();
    if (this.answer && start < this.answer.nextAt) return this.answer.value;
    const value = await this.ask();
    const end = this.now();
    this.answer = { value, nextAt: end + Math.min(OLDEST_MS, (end - start) / SHARE) };
    return value;
  }
}
