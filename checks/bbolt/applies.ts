/** What the checks of this family have in common when they are asked whether they apply. */
import { posix } from 'node:path';
import { type CheckTarget, otherThan } from '../../src/check.js';
import type { DatabaseInstance, GuestLocation } from '../../src/types.js';

export function notBolt(target: CheckTarget): string | null {
  return otherThan(target, ['bbolt', 'etcd'], 'bbolt or etcd');
}

/** The file of the store: of etcd it lies in the folder of the member. */
export function storeOf({ engine, location }: DatabaseInstance): GuestLocation {
  return engine === 'etcd' ? { ...location, path: posix.join(location.path, 'snap/db') } : location;
}
