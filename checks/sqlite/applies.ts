/** What the checks of this family have in common when they are asked whether they apply. */
import type { CheckTarget } from '../../src/check.js';

/** Why a check of this family does not apply to a target, or null. */
export function notSqlite(target: CheckTarget): string | null {
  if (target.kind !== 'instance') return 'this is no database';
  return target.instance.engine === 'sqlite' ? null : `this is a ${target.instance.engine} database, not SQLite`;
}

/** The instance of a target that `notSqlite` let through. */
export function instanceOf(target: CheckTarget) {
  if (target.kind !== 'instance') throw new TypeError(`${target.id} is no database`);
  return target.instance;
}

export const NO_OPTIONS = { type: 'object', additionalProperties: false, properties: {} } as const;
