/** Whether the physical volumes of a group fit each other: a capture may hold them from different instants, or lack some. */
import type { Finding } from '../../types.js';
import type { LvmMember } from './member.js';

/** @param members physical volumes by volume id (`disk0/p2`). */
export function compareLvmMembers(members: { volume: string; member: LvmMember }[]): Finding[] {
  const damaged = members.flatMap(({ volume, member }) => (member.damage ? [damageFinding(volume, member.damage)] : []));
  const groups = new Map<string, typeof members>();
  for (const entry of members) {
    const group = entry.member.group;
    if (group) groups.set(group.uuid ?? group.name, [...(groups.get(group.uuid ?? group.name) ?? []), entry]);
  }
  const present = new Set(members.map(({ member }) => member.uuid));
  return [...damaged, ...[...groups.values()].flatMap((group) => [...sequenceFindings(group), ...missingFindings(group, present)])];
}

function damageFinding(volume: string, damage: string): Finding {
  const message = `the LVM physical volume ${volume} is damaged: ${damage}; the volumes that lie on it may be lost`;
  return { code: 'lvm.member.damaged', severity: 'critical', message, where: { volume } };
}

function sequenceFindings(group: { volume: string; member: LvmMember }[]): Finding[] {
  const sequences = group.map(({ volume, member }) => ({ volume, sequence: member.group?.sequence ?? 0 }));
  if (new Set(sequences.map(({ sequence }) => sequence)).size < 2) return [];
  const name = group[0]?.member.group?.name ?? '';
  const list = sequences.map(({ volume, sequence }) => `${volume} at ${sequence}`).join(', ');
  const message = `the disks of volume group ${name} stem from different instants: the sequence number of its metadata differs (${list})`;
  return [{ code: 'lvm.group.skew', severity: 'critical', message, where: { group: name } }];
}

function missingFindings(group: { volume: string; member: LvmMember }[], present: Set<string>): Finding[] {
  const newest = group.map(({ member }) => member.group).sort((a, b) => (b?.sequence ?? 0) - (a?.sequence ?? 0))[0];
  const missing = newest?.members.filter((uuid) => !present.has(uuid)) ?? [];
  return missing.slice(0, 20).map((uuid) => ({
    code: 'lvm.group.member-missing',
    severity: 'critical',
    message: `volume group ${newest?.name} lacks the physical volume ${uuid}: a disk is missing in the restore point`,
    where: { group: newest?.name ?? '', member: uuid },
  }));
}
