/** The clocks of a Linux guest as they stood when its memory was saved. */
import { FormatError } from '../../../src/errors.js';
import type { LinuxKernel } from './kernel.js';

const MAX_CPUS = 4096;
const NANOSECONDS = 1e9;
/** The clock's parts must agree: what does not is no clock. */
const AGREEMENT_SECONDS = 2;

export interface GuestClock {
  /** Since 1970. */
  wallSeconds: number;
  /** Since the kernel's start, without time asleep. */
  monotonicSeconds: number;
}

/** What time the guest thought it was, as of its last tick; null when it cannot be read. */
export async function readClock(kernel: LinuxKernel): Promise<GuestClock | null> {
  const core = kernel.symbols.get('tk_core') ?? kernel.symbols.get('timekeeper_data');
  const place = kernel.types?.get('vmlinux')?.memberOfAny('timekeeper', 'timekeeper');
  if (core === undefined || !place) return null;
  try {
    const keeper = await kernel.view('timekeeper', core + BigInt(place.offset));
    const part = keeper.number('tkr_mono.xtime_nsec') / 2 ** keeper.number('tkr_mono.shift') / NANOSECONDS;
    const toMonotonic = Number(keeper.signed('wall_to_monotonic.tv_sec')) + Number(keeper.signed('wall_to_monotonic.tv_nsec')) / NANOSECONDS;
    const wallSeconds = keeper.number('xtime_sec') + part;
    const monotonicSeconds = wallSeconds + toMonotonic;
    const agrees = Math.abs(monotonicSeconds - keeper.number('ktime_sec')) < AGREEMENT_SECONDS;
    return agrees && monotonicSeconds >= 0 ? { wallSeconds, monotonicSeconds } : null;
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

/** Of every processor: the scheduler's clock, which also stamps the log. Seconds; of the last tick. Empty when it cannot be read. */
export async function readRunClocks(kernel: LinuxKernel): Promise<number[]> {
  const clocks: number[] = [];
  try {
    for (const offset of await perCpuOffsets(kernel)) {
      const queue = kernel.symbol('runqueues') + offset;
      const { offset: place } = kernel.field('rq', 'clock');
      const value = await kernel.memory.pointer(BigInt.asUintN(64, queue + BigInt(place)));
      if (value !== null) clocks.push(Number(value) / NANOSECONDS);
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
  return clocks;
}

/** @throws FormatError */
export async function perCpuOffsets(kernel: LinuxKernel): Promise<bigint[]> {
  const count = (await kernel.memory.read(kernel.symbol('nr_cpu_ids'), 4))?.readUInt32LE(0) ?? 0;
  const table = await kernel.memory.read(kernel.symbol('__per_cpu_offset'), Math.min(count, MAX_CPUS) * 8);
  return Array.from({ length: (table?.length ?? 0) / 8 }, (_, cpu) => table?.readBigUInt64LE(cpu * 8) ?? 0n);
}
