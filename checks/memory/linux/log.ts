/** The log of a kernel, in whatever layout its version keeps it. */
import type { LinuxKernel } from './kernel.js';
import type { KernelLog } from './log-record.js';
import { readLogRecords } from './log-records.js';
import { readLogRing } from './log-ring.js';

/** Null when it cannot be read; it does not depend on symbols or types. */
export async function readLog({ memory, info }: LinuxKernel): Promise<KernelLog | null> {
  const log = (await readLogRing(memory, info)) ?? (await readLogRecords(memory, info));
  return log && log.records.length > 0 ? log : null;
}
