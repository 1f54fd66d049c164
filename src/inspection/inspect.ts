/** From disks to an inspection: first the volumes as captured, then, after replay, the systems and databases on them. */
import type { EngineFinder } from '../check.js';
import type { ApplianceSession } from '../labs/appliance/appliance.js';
import { diskLabel } from '../labs/appliance/appliance.js';
import type { ApplianceFiles } from '../labs/appliance/guest-files.js';
import { isMountable } from '../labs/appliance/look.js';
import type { Exposure } from '../labs/lab.js';
import type { GuestEntry, Inspection, UntestedItem, Volume } from '../types.js';
import { ApplianceSource } from './appliance-source.js';
import { findDatabases, findUnjudged, untestedEngines } from './databases.js';
import { compareMembers } from './members.js';
import { findNetworkOffer } from './services.js';
import { readStackedDevices, type StackedDevice, type StackedDevices } from './stacked.js';
import { findSystems } from './systems.js';
import { unassembled } from './unassembled.js';
import { describeStacked, needsAssembly, readDiskVolumes, untestedVolumes } from './volumes.js';

/** Partitions, and what LVM and RAID make of them. Reads only what was captured. */
export async function inspectVolumes(exposure: Exposure, appliance: () => Promise<ApplianceSession>): Promise<Inspection> {
  const { tables, volumes } = await readDiskVolumes(exposure);
  const stack = needsAssembly(volumes) ? await readStack(exposure, await appliance()) : { devices: [], inactive: [] };
  const stacked = await describeStack(stack.devices, exposure, appliance);
  const all = [...volumes, ...stacked];
  const findings = await compareMembers(all, exposure);
  const untested = [...untestedVolumes(all), ...unassembled(all, stack)];
  return { tables, volumes: all, systems: [], databases: [], unjudged: [], findings, untested };
}

function readStack(exposure: Exposure, appliance: ApplianceSession): Promise<StackedDevices> {
  return readStackedDevices(appliance, new Map(exposure.images.map((image, index) => [diskLabel(index), image.name])));
}

async function describeStack(devices: StackedDevice[], exposure: Exposure, appliance: () => Promise<ApplianceSession>): Promise<Volume[]> {
  if (devices.length === 0) return [];
  const session = await appliance();
  return describeStacked(devices, exposure, (device) => new ApplianceSource(session, device.device, device.sizeBytes));
}

/**
 * Adds what the files of the guest tell. Opening them replays file-system logs onto the overlay.
 * @param looksForServices whether it is wanted what the guest will offer over the network once it runs
 */
export async function inspectGuest(volumes: Inspection, files: ApplianceFiles, finders: EngineFinder[], looksForServices: boolean): Promise<Inspection> {
  const mountable = volumes.volumes.filter(isMountable);
  const entries: GuestEntry[][] = (await files.listings()).map((listing) => [...listing.all()]);
  const found = await findSystems(files, mountable);
  const systems = found.map(({ system }) => system);
  files.useSystems(systems);
  if (looksForServices) for (const system of systems) system.network = await findNetworkOffer(files, system);
  const tree = { files, entries: () => iterate(entries) };
  const unjudged = findUnjudged(tree.entries());
  return {
    ...volumes,
    systems,
    databases: await findDatabases(tree, finders),
    unjudged,
    untested: [
      ...volumes.untested,
      ...files.unreadable.values(),
      ...unmountable(volumes.volumes),
      ...found.flatMap(({ missing }) => missing),
      ...untestedEngines(unjudged),
    ],
  };
}

function unmountable(volumes: Volume[]): UntestedItem[] {
  return volumes
    .filter((volume) => volume.content.kind === 'filesystem' && !isMountable(volume))
    .map((volume) => ({
      what: `volume ${volume.id}`,
      why: `nothing here can open a file system of type ${volume.content.kind === 'filesystem' ? volume.content.type : ''}`,
      holdsData: true,
    }));
}

function* iterate(lists: GuestEntry[][]): Iterable<GuestEntry> {
  for (const list of lists) yield* list;
}
