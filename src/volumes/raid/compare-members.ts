/** Whether the members of a RAID array fit each other: a capture may hold them from different instants, or lack some. */
import type { Finding } from '../../types.js';
import type { RaidMember } from './member.js';

type Entry = { volume: string; member: RaidMember };

/** @param members members by volume id (`disk0/p2`). */
export function compareRaidMembers(members: Entry[]): Finding[] {
  const arrays = new Map<string, Entry[]>();
  for (const entry of members) {
    const key = entry.member.arrayUuid ?? entry.volume;
    arrays.set(key, [...(arrays.get(key) ?? []), entry]);
  }
  return [...arrays.values()].flatMap((array) => [...checksumFindings(array), ...eventFindings(array), ...missingFindings(array)]);
}

function titleOf(array: Entry[]): string {
  const member = array[0]?.member;
  return `${member?.level} array ${member?.name ?? member?.arrayUuid ?? ''}`.trim();
}

function checksumFindings(array: Entry[]): Finding[] {
  return array
    .filter(({ member }) => !member.checksumValid)
    .map(({ volume }) => ({
      code: 'raid.member.checksum',
      severity: 'critical',
      message: `the superblock of RAID member ${volume} of ${titleOf(array)} is damaged: its checksum is wrong`,
      where: { volume },
    }));
}

/** A clean-to-active change is written to one member after the other: a difference of one is normal. */
function eventFindings(array: Entry[]): Finding[] {
  const active = array.filter(({ member }) => /^\d+$/.test(member.role));
  const events = active.map(({ member }) => member.events);
  if (events.length < 2 || Math.max(...events) - Math.min(...events) <= 1) return [];
  const list = active.map(({ volume, member }) => `${volume} at ${member.events}`).join(', ');
  const message = `the members of ${titleOf(array)} stem from different instants: their event counts differ (${list})`;
  return [{ code: 'raid.array.skew', severity: 'critical', message, where: { array: array[0]?.member.arrayUuid ?? '' } }];
}

/** How many members an array can lack and still give its data. */
const SPARE_MEMBERS: Record<string, (disks: number) => number> = {
  raid1: (disks) => disks - 1,
  raid4: () => 1,
  raid5: () => 1,
  raid6: () => 2,
  raid10: () => 1,
};

function missingFindings(array: Entry[]): Finding[] {
  const member = array[0]?.member;
  if (!member) return [];
  const roles = new Set(array.map((entry) => entry.member.role).filter((role) => /^\d+$/.test(role)));
  const missing = member.disks - roles.size;
  if (missing <= 0) return [];
  const bearable = missing <= (SPARE_MEMBERS[member.level]?.(member.disks) ?? 0);
  const effect = bearable ? 'it can still give its data' : 'its data cannot be read without them';
  const message = `${titleOf(array)} has ${roles.size} of its ${member.disks} members in the restore point: ${effect}`;
  return [{ code: 'raid.array.member-missing', severity: bearable ? 'warning' : 'critical', message, where: { array: member.arrayUuid ?? '' } }];
}
