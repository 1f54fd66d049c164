/** How much work the way back is. */
import type { CheckResult, Verdict } from '../types.js';

/**
 * Summed over what must recover. Several checks may look at one target, one of them estimating from the length of its log and
 * another measuring: of each target the larger figures count, once.
 */
export function foldRecovery(checks: CheckResult[]): Verdict['recovery'] {
  const byTarget = new Map<string, { seconds: number; bytes: number }>();
  for (const { target, recovery } of checks) {
    if (!recovery?.needed) continue;
    const known = byTarget.get(target) ?? { seconds: 0, bytes: 0 };
    byTarget.set(target, { seconds: Math.max(known.seconds, recovery.seconds ?? 0), bytes: Math.max(known.bytes, recovery.bytes) });
  }
  const efforts = [...byTarget.values()];
  const milliseconds = efforts.reduce((sum, { seconds }) => sum + Math.round(seconds * 1000), 0);
  return { needed: efforts.length > 0, seconds: milliseconds / 1000, bytes: efforts.reduce((sum, { bytes }) => sum + bytes, 0) };
}
