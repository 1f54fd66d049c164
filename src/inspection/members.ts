/** Whether the members of volume groups and arrays fit each other: read from their captured bytes, before anything assembles them. */
import { MappedSource } from '../bytes/source.js';
import { volumeMap } from '../bytes/volume-map.js';
import type { Exposure } from '../labs/lab.js';
import type { ByteSource, Finding, Volume } from '../types.js';
import { compareLvmMembers } from '../volumes/lvm/compare-members.js';
import { readLvmMember } from '../volumes/lvm/member.js';
import { compareRaidMembers } from '../volumes/raid/compare-members.js';
import { readRaidMember } from '../volumes/raid/member.js';

/** A member that lies on something without a plain placement (LVM on RAID 5) is passed over. */
export async function compareMembers(volumes: Volume[], exposure: Exposure): Promise<Finding[]> {
  const lvm = await readMembers(volumes, 'lvm-member', exposure, readLvmMember);
  const raid = await readMembers(volumes, 'raid-member', exposure, readRaidMember);
  return [...compareLvmMembers(lvm), ...compareRaidMembers(raid)];
}

async function readMembers<Member>(
  volumes: Volume[],
  kind: Volume['content']['kind'],
  exposure: Exposure,
  read: (source: ByteSource) => Promise<Member | null>,
): Promise<{ volume: string; member: Member }[]> {
  const found: { volume: string; member: Member }[] = [];
  for (const volume of volumes.filter(({ content }) => content.kind === kind)) {
    const map = await volumeMap(volume, exposure, 'captured');
    if (!map) continue;
    const source = new MappedSource(map);
    const member = await read(source).finally(() => source.close());
    if (member) found.push({ volume: volume.id, member });
  }
  return found;
}
