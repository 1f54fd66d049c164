/** Whether the partition table of a disk is whole and fits the disk. */
import { defineCheck } from '../../../src/check.js';
import { LabError } from '../../../src/errors.js';
import type { Inspection, Judgement, PartitionTable } from '../../../src/types.js';

/** The table as inspection read it from the captured bytes, before anything was written. */
export type TableEvidence = PartitionTable;

export default defineCheck<TableEvidence, Record<string, never>>({
  id: 'volume/partition-table',
  title: 'The partition table of every disk is whole and fits the disk',
  failureTitle: 'A partition table is lost, or names space the disk does not have',
  description: 'Compares both copies of a GPT by their checksums, follows the chain of an MBR, and compares every partition with the length of the disk.',
  stage: 'volume',
  depth: 'static',
  targetKind: 'image',
  lab: 'none',
  timeoutMs: 60_000,
  optionsSchema: { type: 'object', additionalProperties: false },
  defaultOptions: {},

  skipReason(target, inspection) {
    const table = tableOf(inspection, target.id);
    if (!table) return 'the disk could not be read';
    return table.scheme === 'none' ? 'the disk has no partition table: it is one volume' : null;
  },

  async collect(target, context) {
    const table = tableOf(context.inspection, target.id);
    if (!table) throw new LabError({ code: 'partition-table.unread', message: `the partition table of ${target.id} was not read` });
    return table;
  },

  evaluate: judgeTable,
});

export function judgeTable(table: TableEvidence): Judgement {
  const failed = table.findings.filter((finding) => finding.severity === 'critical');
  const warned = table.findings.filter((finding) => finding.severity === 'warning');
  const name = table.scheme.toUpperCase();
  const judgement: Judgement = {
    outcome: failed.length > 0 ? 'fail' : 'pass',
    summary:
      failed[0]?.message ?? (warned[0] ? `usable, but ${warned[0].message}` : `the ${name} of ${table.disk} is whole and every partition lies within the disk`),
    findings: table.findings,
    tested: [{ what: `partition table of ${table.disk}`, how: `${name}: checksums, copies, chain and limits compared with the disk` }],
    untested: [],
  };
  return failed.length > 0 ? { ...judgement, advice: ADVICE, consistency: { level: 'none', why: failed[0]?.message ?? '' } } : judgement;
}

const ADVICE = 'Use an older restore point of this machine, and look at the backup job: a cut-off or half-written image is the usual reason.';

function tableOf(inspection: Inspection, disk: string): PartitionTable | undefined {
  return inspection.tables.find((table) => table.disk === disk);
}
