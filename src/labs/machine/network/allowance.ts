/** How much may be said in answer to a guest that asks without end. */

export class Allowance {
  private left: number;
  private filledAt: number;

  /** @param clock milliseconds that only go forward */
  constructor(
    private readonly perSecond: number,
    private readonly clock: () => number = () => performance.now(),
  ) {
    this.left = perSecond;
    this.filledAt = clock();
  }

  /** Whether one more is allowed now. */
  take(): boolean {
    const now = this.clock();
    this.left = Math.min(this.perSecond, this.left + ((now - this.filledAt) / 1000) * this.perSecond);
    this.filledAt = now;
    if (this.left < 1) return false;
    this.left -= 1;
    return true;
  }
}
