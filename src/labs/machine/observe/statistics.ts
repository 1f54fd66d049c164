/**
 * Numbers out of QEMU's tables for people (`x-query-jit`, `x-query-irq`), which have no other form. What is not there is null.
 */
import type { Look } from '../../../ways.js';

/** Translated code. `blocks` only ever grows, although QEMU throws all code away when its buffer is full and begins again. */
export class JitCounter {
  private base = 0;
  private last = 0;

  /** @param table `TB count 160519`, `TLB partial flushes 92944`: accel/tcg/monitor.c in QEMU */
  read(table: string): Look['jit'] {
    const blocks = numberAfter(table, 'TB count');
    const flushes = ['TLB full flushes', 'TLB partial flushes', 'TLB elided flushes'].map((name) => numberAfter(table, name));
    if (blocks === null || flushes.every((value) => value === null)) return null;
    if (blocks < this.last) this.base += this.last;
    this.last = blocks;
    return { flushes: flushes.reduce<number>((sum, value) => sum + (value ?? 0), 0), blocks: this.base + blocks };
  }
}

/** By how many milliseconds the host's clock is before the guest's, where the guest's counts instructions: below nought when it ran ahead. */
export function clockDriftMs(table: string): number | null {
  return numberAfter(table, 'Host - Guest clock');
}

function numberAfter(table: string, name: string): number | null {
  const digits = new RegExp(`^${name}\\s+(-?\\d+)`, 'm').exec(table)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** The sum over all lines and controllers: ` 0: 1` below `IRQ statistics for ioapic:`. */
export function interruptCount(table: string): number | null {
  if (!table.includes('IRQ statistics for')) return null;
  return [...table.matchAll(/^\s*\d+: (\d+)\s*$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}
