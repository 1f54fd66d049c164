/** What groups and arrays promise and nothing could be made of: its data was not seen. */
import type { UntestedItem, Volume } from '../types.js';
import type { StackedDevice, StackedDevices } from './stacked.js';

/** Members whose group or array did not come up, and logical volumes that could not be activated. */
export function unassembled(volumes: Volume[], { devices, inactive }: StackedDevices): UntestedItem[] {
  const logical = inactive.map((id) => ({ what: `logical volume ${id}`, why: 'it cannot be activated from these disks', holdsData: true }));
  return [...volumes.flatMap((volume) => lostMember(volume, devices, inactive)), ...logical];
}

function lostMember({ id, content }: Volume, devices: StackedDevice[], inactive: string[]): UntestedItem[] {
  if (content.kind === 'lvm-member' && content.group !== null) {
    const prefix = `${content.group}/`;
    const known = devices.some((device) => device.id.startsWith(prefix)) || inactive.some((name) => name.startsWith(prefix));
    return known ? [] : [lost(id, `no volume of the group ${content.group} can be made of these disks`)];
  }
  if (content.kind !== 'raid-member') return [];
  const uuid = content.uuid?.replaceAll('-', '') ?? '';
  const known = devices.some(({ arrayUuid }) => arrayUuid !== null && (arrayUuid === uuid || arrayUuid === swapWords(uuid)));
  return known ? [] : [lost(id, `its RAID array (${content.level ?? 'unknown level'}) cannot be assembled from these disks`)];
}

function lost(volume: string, why: string): UntestedItem {
  return { what: `volume ${volume}`, why, holdsData: true };
}

/** Superblocks 0.90 hold the id as words of the machine, and mdadm prints them as such. */
function swapWords(hex: string): string {
  return hex.replace(/(..)(..)(..)(..)/g, '$4$3$2$1');
}
