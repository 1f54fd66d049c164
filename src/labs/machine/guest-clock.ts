/**
 * Two clocks of a machine: the host's since it was let go, and the guest's, which stands still while the machine is paused, and may
 * run ahead of the host's while it is not.
 */

export class GuestClock {
  private startedAt: number | null = null;
  private runningSince: number | null = null;
  private sumMs = 0;
  /** How far the guest's clock has run ahead, as far as it is known. */
  private aheadMs = 0;
  private firstDriftMs: number | null = null;

  /** @param now milliseconds of a clock that never goes back */
  constructor(private readonly now: () => number = () => performance.now()) {}

  get wallMs(): number {
    return this.startedAt === null ? 0 : this.now() - this.startedAt;
  }

  get guestMs(): number {
    return this.ranMs + this.aheadMs;
  }

  resumed(): void {
    this.startedAt ??= this.now();
    this.runningSince ??= this.now();
  }

  paused(): void {
    this.sumMs = this.ranMs;
    this.runningSince = null;
  }

  /** @param driftMs by how much QEMU's clock of the host is before that of the guest; the first says where both began. Null: it keeps one only. */
  drifted(driftMs: number | null): void {
    if (driftMs === null) return;
    this.firstDriftMs ??= driftMs;
    this.aheadMs = this.firstDriftMs - driftMs;
  }

  private get ranMs(): number {
    return this.sumMs + (this.runningSince === null ? 0 : this.now() - this.runningSince);
  }
}
