/** What the disks did: QEMU's block statistics, and the requests that a virtio disk has taken and not answered. */
import type { Look } from '../../../ways.js';
import { overlayNodeName } from '../../exposure/block-nodes.js';
import type { QmpClient } from '../qmp.js';

/** The part of `query-blockstats` that is used: qapi/block-core.json. */
export interface BlockStatistics {
  'node-name'?: string;
  stats: {
    rd_operations: number;
    wr_operations: number;
    rd_bytes: number;
    wr_bytes: number;
    flush_operations: number;
    failed_rd_operations: number;
    failed_wr_operations: number;
    failed_flush_operations: number;
  };
}

type DiskLook = Look['disks'][number];

export function diskLooks(disks: string[], statistics: BlockStatistics[], pending: ReadonlyMap<string, number>): DiskLook[] {
  return disks.flatMap((disk) => {
    const stats = statistics.find((candidate) => candidate['node-name'] === overlayNodeName(disk))?.stats;
    if (!stats) return [];
    const failed = stats.failed_rd_operations + stats.failed_wr_operations + stats.failed_flush_operations;
    const amounts = { readBytes: stats.rd_bytes, writtenBytes: stats.wr_bytes, flushes: stats.flush_operations };
    return [{ disk, reads: stats.rd_operations, writes: stats.wr_operations, ...amounts, failed, pending: pending.get(disk) ?? null }];
  });
}

/** A card may have a queue for each of very many processors: so many are asked. */
const MAX_QUEUES = 16;

/** The queues of the virtio disks; found once. QEMU knows `x-query-virtio` since 7.2, and calls it unstable. */
export class VirtioQueues {
  private constructor(private readonly queues: { disk: string; path: string; queue: number }[]) {}

  /** @param diskOfDevice by the id of the device */
  static async find(qmp: QmpClient, diskOfDevice: ReadonlyMap<string, string>): Promise<VirtioQueues> {
    const devices = await qmp.execute<{ path: string; name: string }[]>('x-query-virtio').catch(() => []);
    const queues: { disk: string; path: string; queue: number }[] = [];
    for (const { path, name } of devices) {
      const disk = diskOfDevice.get(/^\/machine\/peripheral\/([^/]+)\/virtio-backend$/.exec(path)?.[1] ?? '');
      if (disk === undefined || name !== 'virtio-blk') continue;
      const count = await queueCount(qmp, path);
      for (let queue = 0; queue < count; queue++) queues.push({ disk, path, queue });
    }
    return new VirtioQueues(queues);
  }

  /** By disk. */
  async pending(qmp: QmpClient): Promise<Map<string, number>> {
    const sums = new Map<string, number>();
    const answers = this.queues.map(async ({ disk, path, queue }) => {
      const { inuse } = await qmp.execute<{ inuse: number }>('x-query-virtio-queue-status', { path, queue });
      sums.set(disk, (sums.get(disk) ?? 0) + inuse);
    });
    await Promise.all(answers);
    return sums;
  }
}

async function queueCount(qmp: QmpClient, path: string): Promise<number> {
  const status = await qmp.execute<{ 'num-vqs': number }>('x-query-virtio-status', { path }).catch(() => null);
  return Math.min(MAX_QUEUES, status?.['num-vqs'] ?? 0);
}
