/** What a run could not look at, although no check says so: it must not vanish from the record. */
import type { DigestResult } from '../images/index.js';
import type { CheckResult, Inspection, UntestedItem } from '../types.js';

/** A database that no check had anything to say about must not vanish from the record. */
export function unjudgedInstances(inspection: Inspection, checks: CheckResult[]): UntestedItem[] {
  return inspection.databases
    .filter((instance) => !checks.some((check) => check.target === instance.id))
    .map((instance) => ({ what: instance.id, why: 'there is no check for this engine yet', holdsData: true }));
}

/** An empty backup is whole and proves nothing: more likely it was never written than that a machine holds no data. */
export function nothingOnDisks(inspection: Inspection): UntestedItem[] {
  if (inspection.volumes.some((volume) => volume.content.kind !== 'empty')) return [];
  return [{ what: 'the data of the guest', why: 'all disks of this restore point are empty: see whether the backup was written at all', holdsData: true }];
}

/** Bytes that changed under our eyes were not the bytes that were tested. */
export function changedFiles(digested: DigestResult): UntestedItem[] {
  const byFile = new Map(digested.findings.map((finding) => [String(finding.where.file ?? 'a file of the restore point'), finding.message]));
  return [...byFile].map(([what, why]) => ({ what, why, holdsData: true }));
}
