/** Which partitions a disk has, and whether its table is whole: GPT with its backup, MBR, or none. */
import type { ByteSource, Finding, PartitionTable } from '../../types.js';
import { identifyBootSector } from '../content/boot-sector.js';
import { readWithin } from '../reading.js';
import { placementFindings, tableFinding } from './findings.js';
import { type GptCopy, readGptCopy } from './gpt.js';
import { type MbrTable, readMbr } from './mbr.js';
import type { Partition } from './partition.js';

const SECTOR_SIZES = [512, 4096];

export interface DiskLayout {
  table: PartitionTable;
  /** Empty with scheme `none`: then the whole disk is one volume. */
  partitions: Partition[];
}

/** Reads the partition table of `disk`. Never throws for what the bytes hold; only for reads that fail. */
export async function readPartitionTable(disk: string, source: ByteSource): Promise<DiskLayout> {
  const mbr = (await startsWithFileSystem(source)) ? null : await readMbr(source);
  const { primary, backup } = await readBothCopies(source);
  const usableBackup = backup && !backup.damage ? backup : null;
  // A sound backup alone may be left over from an earlier life of the disk: it counts only where nothing else claims the disk.
  if (primary || mbr?.protective || (usableBackup && !mbr && (await startsWithZeroes(source)))) return gptLayout(disk, source, primary, backup, mbr);
  return mbr ? mbrLayout(disk, source, mbr) : { table: { disk, scheme: 'none', findings: [] }, partitions: [] };
}

/** A FAT or NTFS boot sector ends like an MBR, and its code may look like entries. */
async function startsWithFileSystem(source: ByteSource): Promise<boolean> {
  const sector = await readWithin(source, 0, 512);
  return sector !== null && identifyBootSector(sector) !== null;
}

async function startsWithZeroes(source: ByteSource): Promise<boolean> {
  const start = await readWithin(source, 0, Math.min(4096, source.sizeBytes));
  return start?.every((byte) => byte === 0) ?? false;
}

async function readBothCopies(source: ByteSource): Promise<{ primary: GptCopy | null; backup: GptCopy | null }> {
  let primary: GptCopy | null = null;
  let backup: GptCopy | null = null;
  for (const sectorBytes of SECTOR_SIZES) {
    const lastSector = (Math.floor(source.sizeBytes / sectorBytes) - 1) * sectorBytes;
    primary ??= await readGptCopy(source, sectorBytes, sectorBytes);
    if (!backup && (!primary || primary.sectorBytes === sectorBytes)) backup = await readGptCopy(source, lastSector, sectorBytes);
  }
  // A disk that grew keeps its backup where the primary says.
  if (!backup && primary && !primary.damage) backup = await readGptCopy(source, primary.alternateOffset, primary.sectorBytes);
  return { primary, backup };
}

function gptLayout(disk: string, source: ByteSource, primary: GptCopy | null, backup: GptCopy | null, mbr: MbrTable | null): DiskLayout {
  const good = primary && !primary.damage ? primary : backup && !backup.damage ? backup : null;
  const findings = [...copyFindings(disk, primary, backup), ...hybridFindings(disk, mbr)];
  const partitions = good?.partitions ?? [];
  findings.push(...placementFindings(disk, partitions, source.sizeBytes));
  return { table: { disk, scheme: 'gpt', findings }, partitions };
}

function copyFindings(disk: string, primary: GptCopy | null, backup: GptCopy | null): Finding[] {
  const primaryDamage = primary ? primary.damage : 'it is not there';
  const backupDamage = backup ? backup.damage : 'it is not there';
  if (primaryDamage && backupDamage) {
    const message = `the partition table of ${disk} is lost: of the primary GPT ${primaryDamage}, of its backup at the end of the disk ${backupDamage}`;
    return [tableFinding(disk, 'critical', 'gpt-lost', message)];
  }
  if (primaryDamage) {
    const message = `the primary GPT of ${disk} is damaged (${primaryDamage}); its backup is good and was used: some firmware will not boot from this disk until the table is repaired`;
    return [tableFinding(disk, 'warning', 'gpt-primary-damaged', message, { offset: primary?.headerOffset ?? 512 })];
  }
  if (backupDamage) {
    const message = `the backup GPT of ${disk} is damaged or not at the end of the disk (${backupDamage}): the disk was cut, grown or overwritten at its end`;
    return [tableFinding(disk, 'warning', 'gpt-backup-damaged', message)];
  }
  if (primary && backup && (primary.entriesCrc !== backup.entriesCrc || primary.diskGuid !== backup.diskGuid)) {
    const message = `the two copies of the GPT of ${disk} describe different partitions; the primary was used: they may stem from different instants`;
    return [tableFinding(disk, 'warning', 'gpt-copies-differ', message)];
  }
  return [];
}

function hybridFindings(disk: string, mbr: MbrTable | null): Finding[] {
  if (!mbr) return [tableFinding(disk, 'warning', 'no-protective-mbr', `${disk} has a GPT but no protective MBR: old tools may take the disk for empty`)];
  if (mbr.partitions.length === 0) return [];
  return [
    tableFinding(disk, 'info', 'hybrid', `${disk} has a hybrid partition table: its MBR names ${mbr.partitions.length} partitions too; the GPT was used`),
  ];
}

function mbrLayout(disk: string, source: ByteSource, mbr: MbrTable): DiskLayout {
  const findings = placementFindings(disk, mbr.partitions, source.sizeBytes);
  if (mbr.chainDamage) findings.unshift(tableFinding(disk, 'critical', 'logical-chain', `partitions of ${disk} are lost: ${mbr.chainDamage}`));
  return { table: { disk, scheme: 'mbr', findings }, partitions: mbr.partitions };
}
