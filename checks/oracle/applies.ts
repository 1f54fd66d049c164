/** What the checks of this family have in common when they are asked whether they apply. */
import { type CheckTarget, otherThan } from '../../src/check.js';

export const ENGINE = 'oracle';

/** Why a check of this family does not apply to a target, or null. */
export function notOracle(target: CheckTarget): string | null {
  return otherThan(target, [ENGINE], 'an Oracle database');
}
