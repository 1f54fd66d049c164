/** A database file of a folder guest, named without a finder. */
import type { CheckTarget } from '../../../src/check.js';
import type { DatabaseInstance } from '../../../src/types.js';
import { VOLUME } from '../../testing/folder-guest.js';

export function instanceAt(path: string): DatabaseInstance {
  return { id: `sqlite ${VOLUME}:${path}`, engine: 'sqlite', version: null, location: { volume: VOLUME, path }, links: [], facts: {} };
}

export function targetAt(path: string): CheckTarget & { kind: 'instance' } {
  const instance = instanceAt(path);
  return { kind: 'instance', id: instance.id, instance };
}
