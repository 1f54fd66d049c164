/** What is wrong with a partition table, in words. Codes: `partition-table.*`. */
import type { Finding, Severity } from '../../types.js';
import type { Partition } from './partition.js';

export function tableFinding(disk: string, severity: Severity, code: string, message: string, where: Finding['where'] = {}): Finding {
  return { code: `partition-table.${code}`, severity, message, where: { disk, ...where } };
}

/** Partitions that reach beyond the disk, or into each other. */
export function placementFindings(disk: string, partitions: Partition[], diskBytes: number): Finding[] {
  return [...beyondEnd(disk, partitions, diskBytes), ...overlaps(disk, partitions)];
}

function beyondEnd(disk: string, partitions: Partition[], diskBytes: number): Finding[] {
  return partitions
    .filter((partition) => partition.offset + partition.lengthBytes > diskBytes)
    .map((partition) =>
      tableFinding(
        disk,
        'critical',
        'beyond-end',
        `partition ${partition.number} of ${disk} ends at byte ${partition.offset + partition.lengthBytes}, but the disk has only ${diskBytes} bytes: the image was cut off or belongs to another size of disk`,
        { partition: partition.number, offset: partition.offset, lengthBytes: partition.lengthBytes },
      ),
    );
}

function overlaps(disk: string, partitions: Partition[]): Finding[] {
  const findings: Finding[] = [];
  let furthest: Partition | null = null;
  for (const partition of [...partitions].sort((a, b) => a.offset - b.offset)) {
    if (furthest && partition.offset < furthest.offset + furthest.lengthBytes) {
      const message = `partitions ${furthest.number} and ${partition.number} of ${disk} overlap: writing to one destroys the other`;
      findings.push(tableFinding(disk, 'warning', 'overlap', message, { partition: partition.number, other: furthest.number }));
    }
    if (!furthest || partition.offset + partition.lengthBytes > furthest.offset + furthest.lengthBytes) furthest = partition;
  }
  return findings;
}
