/** What lies on the disks: partitions and what they hold, read on the host as captured, before anything replays a log. */
import { sliceMap } from '../bytes/map.js';
import { MappedSource } from '../bytes/source.js';
import { volumeMap } from '../bytes/volume-map.js';
import { deviceName } from '../labs/appliance/appliance.js';
import type { Exposure } from '../labs/lab.js';
import type { ByteSource, PartitionTable, UntestedItem, Volume } from '../types.js';
import { readCaptureState } from '../volumes/capture-state.js';
import { identifyContent } from '../volumes/content/identify.js';
import { readPartitionTable } from '../volumes/partitions/partition-table.js';
import type { StackedDevice } from './stacked.js';

export interface DiskVolumes {
  tables: PartitionTable[];
  volumes: Volume[];
}

/** Partitions (or whole disks without a table) of every disk. Needs no appliance. */
export async function readDiskVolumes(exposure: Exposure): Promise<DiskVolumes> {
  const found = await Promise.all(exposure.images.map((image, index) => readDisk(image.name, deviceName(index), exposure)));
  return { tables: found.map((disk) => disk.table), volumes: found.flatMap((disk) => disk.volumes) };
}

async function readDisk(disk: string, device: string, exposure: Exposure): Promise<{ table: PartitionTable; volumes: Volume[] }> {
  const map = await exposure.captured(disk);
  const source = new MappedSource(map);
  try {
    const { table, partitions } = await readPartitionTable(disk, source);
    if (table.scheme === 'none') {
      const whole = {
        id: disk,
        device,
        sizeBytes: map.sizeBytes,
        placement: [{ offset: 0, lengthBytes: map.sizeBytes, disk, diskOffset: 0 }],
        partition: null,
      };
      return { table, volumes: [await describe(whole, source)] };
    }
    const volumes = partitions.map(async (partition): Promise<Volume> => {
      const { number, type, uuid, name, offset, lengthBytes } = partition;
      const part = new MappedSource(sliceMap(map, offset, lengthBytes));
      const placement = [{ offset: 0, lengthBytes, disk, diskOffset: offset }];
      const volume = { id: `${disk}/p${number}`, device: `${device}${number}`, sizeBytes: lengthBytes, placement, partition: { number, type, uuid, name } };
      return describe(volume, part).finally(() => part.close());
    });
    return { table, volumes: await Promise.all(volumes) };
  } finally {
    await source.close();
  }
}

async function describe(volume: Omit<Volume, 'content' | 'captureState'>, source: ByteSource): Promise<Volume> {
  const content = await identifyContent(source, volume.partition?.type ?? null);
  return { ...volume, content, captureState: await readCaptureState(source, content) };
}

/** Logical volumes and arrays; those without a plain placement are described through the appliance by `throughAppliance`. */
export async function describeStacked(
  devices: StackedDevice[],
  exposure: Exposure,
  throughAppliance: (device: StackedDevice) => ByteSource,
): Promise<Volume[]> {
  return Promise.all(
    devices.map(async (device) => {
      const { id, sizeBytes, placement } = device;
      const volume = { id, device: device.device, sizeBytes, placement, partition: null };
      const map = await volumeMap(volume, exposure, 'captured');
      const source = map ? new MappedSource(map) : throughAppliance(device);
      return describe(volume, source).finally(() => source.close());
    }),
  );
}

/** Whether only the appliance can say what is in it. */
export function needsAssembly(volumes: Volume[]): boolean {
  return volumes.some((volume) => volume.content.kind === 'lvm-member' || volume.content.kind === 'raid-member');
}

/** Volumes that hold, or may hold, data which no check can look into. */
export function untestedVolumes(volumes: Volume[]): UntestedItem[] {
  return volumes.flatMap((volume) => {
    const why = whyUntested(volume);
    return why === null ? [] : [{ what: `volume ${volume.id}`, why, holdsData: true }];
  });
}

function whyUntested(volume: Volume): string | null {
  const { content } = volume;
  if (content.kind === 'encrypted') return `it is encrypted (${content.scheme}) and no key was given`;
  if (content.kind === 'unknown') return `it holds data that nothing here recognises (it begins with ${content.firstBytesHex})`;
  if (content.kind === 'swap' && content.hibernated) return 'the guest had hibernated into it: what was in memory is not on the disks';
  return null;
}
