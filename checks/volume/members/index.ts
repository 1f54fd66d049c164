/** Whether the members of a volume group or a RAID array stem from one instant, and whether all of them are there. */
import { defineCheck } from '../../../src/check.js';
import { LabError } from '../../../src/errors.js';
import type { Finding, Judgement, Volume } from '../../../src/types.js';

export interface MemberEvidence {
  volume: string;
  /** What it is a part of, in words. */
  partOf: string;
  /** What the comparison of all members found about this one, its group or its array. */
  findings: Finding[];
}

export default defineCheck<MemberEvidence, Record<string, never>>({
  id: 'volume/members',
  title: 'The members of every volume group and RAID array are all there and stem from one instant',
  failureTitle: 'Disks of one volume group or RAID array do not fit each other, or one is missing',
  description: 'Compares what the members of a group or array say of themselves and each other: sequence numbers, event counts, checksums, missing members.',
  stage: 'volume',
  depth: 'static',
  targetKind: 'volume',
  lab: 'none',
  timeoutMs: 60_000,
  optionsSchema: { type: 'object', additionalProperties: false },
  defaultOptions: {},

  skipReason(target) {
    return target.kind === 'volume' && isMember(target.volume) ? null : 'the volume is no member of a volume group or RAID array';
  },

  async collect(target, context) {
    const volume = target.kind === 'volume' ? target.volume : null;
    if (!volume || !isMember(volume)) throw new LabError({ code: 'volume.no-member', message: `${target.id} is no member of a group or array` });
    return { volume: volume.id, partOf: partOf(volume), findings: context.inspection.findings.filter((finding) => concerns(finding, volume)) };
  },

  evaluate: judgeMember,
});

export function judgeMember({ volume, partOf, findings }: MemberEvidence): Judgement {
  const failed = findings.filter((finding) => finding.severity === 'critical');
  const warned = findings.filter((finding) => finding.severity === 'warning');
  const judgement: Judgement = {
    outcome: failed.length > 0 ? 'fail' : 'pass',
    summary: failed[0]?.message ?? (warned[0] ? `usable, but ${warned[0].message}` : `${volume} fits the other members of ${partOf}`),
    findings,
    tested: [{ what: `${volume} as a member of ${partOf}`, how: 'its own record compared with those of the other members' }],
    untested: [],
  };
  return failed.length > 0 ? { ...judgement, advice: ADVICE, consistency: { level: 'none', why: failed[0]?.message ?? '' } } : judgement;
}

const ADVICE =
  'Make sure that the backup takes all disks of the machine, and takes them at one instant. Use an older restore point in which they fit each other, and look at the running machine: an array may have lost a disk long ago.';

function isMember({ content }: Volume): boolean {
  return content.kind === 'lvm-member' || content.kind === 'raid-member';
}

function partOf({ content }: Volume): string {
  if (content.kind === 'lvm-member') return content.group ? `the volume group ${content.group}` : 'no volume group yet';
  return content.kind === 'raid-member' ? `a RAID array (${content.level ?? 'unknown level'})` : '';
}

/** Findings name the member itself, or its group, or its array. */
function concerns({ where }: Finding, { id, content }: Volume): boolean {
  if (where.volume === id) return true;
  if (content.kind === 'lvm-member') return content.group !== null && where.group === content.group;
  return content.kind === 'raid-member' && content.uuid !== null && where.array === content.uuid;
}
