/** A cluster of the host as one of a guest, named without a finder: its disks are folders. */
import type { CheckContext } from '../../../src/check.js';
import type { DatabaseInstance } from '../../../src/types.js';
import { contextOver } from '../../testing/folder-guest.js';

export interface ClusterContext {
  instance: DatabaseInstance;
  context: CheckContext<unknown>;
}

/** The cluster whose data directory is `folder`; `others` are further volumes by id, `links` what lies on them. */
export function clusterAt(folder: string, others: Record<string, string> = {}, links: DatabaseInstance['links'] = []): ClusterContext {
  const instance = { id: 'postgresql v:/', engine: 'postgresql', version: '15', location: { volume: 'v', path: '/' }, links, facts: {} };
  return { instance, context: contextOver({ v: folder, ...others }, { options: {}, databases: [instance] }) };
}
