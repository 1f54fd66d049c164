/** What a frozen file system in saved memory means for each way back. */
import type { Finding, Judgement } from '../../../src/types.js';
import { count } from '../../../src/words.js';
import type { FrozenEvidence, FrozenMount } from './evidence.js';

const COMPLETE = 4;
const ADVICE =
  'Boot from the disks instead: they hold everything up to the freeze. If you resume, thaw at once (guest agent: "guest-fsfreeze-thaw", in the guest: "fsfreeze -u"). If the freeze was not meant, look at what freezes the machine and does not thaw it.';

export function judgeFrozen({ release, mounted, frozen, resumeWanted }: FrozenEvidence): Judgement {
  const names = frozen.map(({ device, type }) => `${type} on ${device}`).join(', ');
  const consequence = 'resumed from this memory, the machine hangs at its first write until somebody thaws it';
  return {
    outcome: frozen.length > 0 && resumeWanted ? 'fail' : 'pass',
    summary:
      frozen.length > 0
        ? `frozen when the memory was saved: ${names}; ${consequence}`
        : `none of ${count(mounted, 'mounted file system')} was frozen when the memory was saved`,
    findings: frozen.map((mount) => findingOf(mount, resumeWanted)),
    ...(frozen.length > 0 ? { advice: ADVICE } : {}),
    tested: [{ what: 'whether file systems were frozen when the memory was saved', how: `the list of mounted file systems of Linux ${release}, in memory` }],
    untested: [],
  };
}

function findingOf({ device, type, level, volume, captured }: FrozenMount, resumeWanted: boolean): Finding {
  const how = level < COMPLETE ? `was being frozen (step ${level} of ${COMPLETE})` : 'was frozen';
  const disk = captured === null ? '' : `; on the disk it was captured as "${captured}"`;
  return {
    code: 'memory.frozen',
    severity: resumeWanted ? 'critical' : 'warning',
    message: `the ${type} on ${device}${volume === null ? '' : ` (${volume})`} ${how} when the memory was saved${disk}`,
    where: { device, level, ...(volume === null ? {} : { volume }) },
  };
}
