/** What the checks of this family have in common when they are asked whether they apply. */
import type { CheckTarget } from '../../src/check.js';
import type { DatabaseInstance } from '../../src/types.js';

export const ENGINE = 'oracle';

/** Why a check of this family does not apply to a target, or null. */
export function notOracle(target: CheckTarget): string | null {
  if (target.kind !== 'instance') return 'this is no database';
  return target.instance.engine === ENGINE ? null : `this is a ${target.instance.engine} database, not an Oracle database`;
}

export function instanceOf(target: CheckTarget): DatabaseInstance {
  if (target.kind !== 'instance') throw new TypeError(`${target.id} is no database`);
  return target.instance;
}

export const NO_OPTIONS = { type: 'object', additionalProperties: false, properties: {} } as const;
