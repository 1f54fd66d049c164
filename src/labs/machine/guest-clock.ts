/** Two clocks of a machine: the host's since it was let go, and the guest's, which stands still while the machine is paused. */

export class GuestClock {
  private startedAt: number | null = null;
  private runningSince: number | null = null;
  private sumMs = 0;

  /** @param now milliseconds of a clock that never goes back */
  constructor(private readonly now: () => number = () => performance.now()) {}

  get wallMs(): number {
    return this.startedAt === null ? 0 : this.now() - this.startedAt;
  }

  get guestMs(): number {
    return this.sumMs + (this.runningSince === null ? 0 : this.now() - this.runningSince);
  }

  resumed(): void {
    this.startedAt ??= this.now();
    this.runningSince ??= this.now();
  }

  paused(): void {
    this.sumMs = this.guestMs;
    this.runningSince = null;
  }
}
