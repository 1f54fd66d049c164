/** What the checks of this family have in common when they are asked whether they apply. */
import { type CheckTarget, otherThan } from '../../src/check.js';

export const ENGINE = 'ese';

/** Why a check of this family does not apply to a target, or null. */
export function notEse(target: CheckTarget): string | null {
  return otherThan(target, [ENGINE], 'an ESE database');
}
