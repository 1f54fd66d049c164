/** What lies on a volume, told from its own bytes. */

import type { ByteSource, VolumeContent } from '../../types.js';
import { readBtrfsSuperblock, SUPERBLOCK_OFFSETS } from '../btrfs/superblock.js';
import { readExtSuperblock } from '../ext/superblock.js';
import { readLvmMember } from '../lvm/member.js';
import { readNtfsLabel } from '../ntfs/capture-state.js';
import { readRaidMember } from '../raid/member.js';
import { readWithin } from '../reading.js';
import { readXfsSuperblock } from '../xfs/superblock.js';
import { identifyBootSector } from './boot-sector.js';
import { looksEmpty } from './emptiness.js';
import { identifyByCopies } from './lost-superblock.js';
import { identifyLuks } from './luks.js';
import { identifyBySignature } from './signatures.js';
import { identifySwap } from './swap.js';

/** Partition types whose content is code without a file system, or nothing by definition. */
const BOOT_PARTITION_TYPES: Record<string, string> = {
  '21686148-6449-6E6F-744E-656564454649': 'BIOS boot partition',
  '9E1A2D38-C612-4316-AA26-8B49521E5A8B': 'PowerPC PReP boot partition',
  'E3C9E316-0B5C-4DB8-817D-F92DF00215AE': 'Microsoft reserved partition',
  '0x41': 'PowerPC PReP boot partition',
};

/** Containers first: what is inside them would be found too, at the wrong place. */
const RECOGNISERS: ((source: ByteSource) => Promise<VolumeContent | null>)[] = [
  identifyLuks,
  identifyRaidMember,
  identifyLvmMember,
  identifyExt,
  identifyXfs,
  identifyBtrfs,
  identifySwap,
  identifyBySignature,
  identifyByBootSector,
  identifyByCopies,
];

/**
 * @param source the volume's bytes as captured.
 * @param partitionType its type in the partition table, which tells boot code from unknown data.
 * What the bytes hold never throws; a read that fails does.
 */
export async function identifyContent(source: ByteSource, partitionType: string | null = null): Promise<VolumeContent> {
  if (source.sizeBytes === 0) return { kind: 'empty' };
  for (const recognise of RECOGNISERS) {
    const content = await recognise(source);
    if (content) return content;
  }
  if (await looksEmpty(source)) return { kind: 'empty' };
  const what = partitionType ? BOOT_PARTITION_TYPES[partitionType] : undefined;
  if (what) return { kind: 'boot-code', what };
  const first = await source.read(0, Math.min(64, source.sizeBytes));
  return { kind: 'unknown', firstBytesHex: first.toString('hex') };
}

async function identifyRaidMember(source: ByteSource): Promise<VolumeContent | null> {
  const member = await readRaidMember(source);
  if (!member) return null;
  const { arrayUuid, level, version, name, disks, role, deviceNumber, events, dataOffset, dataBytes, checksumValid } = member;
  return { kind: 'raid-member', uuid: arrayUuid, level, facts: { version, name, disks, role, deviceNumber, events, dataOffset, dataBytes, checksumValid } };
}

async function identifyLvmMember(source: ByteSource): Promise<VolumeContent | null> {
  const member = await readLvmMember(source);
  return member && { kind: 'lvm-member', uuid: member.uuid || null, group: member.group?.name ?? null };
}

async function identifyExt(source: ByteSource): Promise<VolumeContent | null> {
  const sb = await readExtSuperblock(source);
  return sb && { kind: 'filesystem', type: sb.type, uuid: sb.uuid, label: sb.label };
}

async function identifyXfs(source: ByteSource): Promise<VolumeContent | null> {
  const sb = await readXfsSuperblock(source);
  return sb && { kind: 'filesystem', type: 'xfs', uuid: sb.uuid, label: sb.label };
}

async function identifyBtrfs(source: ByteSource): Promise<VolumeContent | null> {
  for (const offset of SUPERBLOCK_OFFSETS.slice(0, 2)) {
    const sb = await readBtrfsSuperblock(source, offset);
    if (sb) return { kind: 'filesystem', type: 'btrfs', uuid: sb.uuid, label: sb.label };
  }
  return null;
}

async function identifyByBootSector(source: ByteSource): Promise<VolumeContent | null> {
  const sector = await readWithin(source, 0, 512);
  const content = sector && identifyBootSector(sector);
  if (content?.kind === 'filesystem' && content.type === 'ntfs') return { ...content, label: await readNtfsLabel(source) };

  return content;
}
