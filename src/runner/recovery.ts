/** How much work the way back is. */
import type { CheckResult, Verdict } from '../types.js';

/**
 * Summed over what must recover. Several checks may look at one target, one of them estimating from the length of its log and
 * another measuring: of each target the larger figures count, once.
 */
export function foldRecovery(checks: CheckResult[]): Verdict['recovery'] {
  const efforts = [...effortsByTarget(checks).values()];
  const milliseconds = efforts.reduce((sum, { seconds }) => sum + Math.round((seconds ?? 0) * 1000), 0);
  return { needed: efforts.length > 0, seconds: milliseconds / 1000, bytes: efforts.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** Of what must recover. `seconds` null: nobody measured. */
export function effortsByTarget(checks: CheckResult[]): Map<string, { seconds: number | null; bytes: number }> {
  const byTarget = new Map<string, { seconds: number | null; bytes: number }>();
  for (const { target, recovery } of checks) {
    if (!recovery?.needed) continue;
    const known = byTarget.get(target) ?? { seconds: null, bytes: 0 };
    byTarget.set(target, { seconds: larger(known.seconds, recovery.seconds), bytes: Math.max(known.bytes, recovery.bytes) });
  }
  return byTarget;
}

function larger(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.max(a, b);
}
