/** What the checks of this family have in common when they are asked whether they apply. */
import { posix } from 'node:path';
import type { CheckTarget } from '../../src/check.js';
import type { DatabaseInstance, GuestLocation } from '../../src/types.js';

export const NO_OPTIONS = { type: 'object', additionalProperties: false, properties: {} } as const;

export function notBolt(target: CheckTarget): string | null {
  if (target.kind !== 'instance') return 'this is no database';
  const { engine } = target.instance;
  return engine === 'bbolt' || engine === 'etcd' ? null : `this is a ${engine} database, not bbolt or etcd`;
}

export function instanceOf(target: CheckTarget): DatabaseInstance {
  if (target.kind !== 'instance') throw new TypeError(`${target.id} is no database`);
  return target.instance;
}

/** The file of the store: of etcd it lies in the folder of the member. */
export function storeOf({ engine, location }: DatabaseInstance): GuestLocation {
  return engine === 'etcd' ? { ...location, path: posix.join(location.path, 'snap/db') } : location;
}
