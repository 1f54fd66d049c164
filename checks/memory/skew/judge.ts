/** Says whether memory and disks are of one instant: proven, doubted, or not to be told. */
import type { CoverageItem, Finding, Judgement, UntestedItem } from '../../../src/types.js';
import { count } from '../../../src/words.js';
import { compareLogs } from './compare.js';
import type { Comparison, Relation } from './comparison.js';
import type { SkewEvidence } from './evidence.js';

const ADVICE =
  'Do not resume: the running system would overwrite a disk that is not the one it knows, and destroy it without a word. The disks alone may still come back by a cold boot. Look for what makes the backup take memory and disks at different moments.';

const DIFFERS: Relation[] = ['disk-later', 'disk-earlier', 'different'];

interface Told extends Comparison {
  volume: string;
  disk: string | null;
  type: string;
}

export function judgeSkew(evidence: SkewEvidence): Judgement {
  const told = evidence.pairs.map(
    (pair): Told => ({ ...compareLogs(pair, evidence.clockSeconds), volume: pair.disk.volume, disk: pair.disk.disk, type: pair.disk.type }),
  );
  const same = told.filter(({ relation }) => relation === 'same');
  // What one log on a disk proves holds for all that lies on it.
  const settled = new Set(same.map(({ disk }) => disk));
  const differing = told.filter(({ relation }) => DIFFERS.includes(relation));
  const proven = differing.filter((one) => one.proven);
  const doubted = differing.filter((one) => !one.proven && !settled.has(one.disk));
  const apart = [...proven, ...doubted];
  return {
    outcome: proven.length > 0 ? 'fail' : 'pass',
    summary: summaryOf(proven, doubted, same, evidence),
    findings: apart.map(findingOf),
    ...(apart.length > 0 ? { advice: ADVICE } : {}),
    tested: [...proven, ...same].map(testedOf),
    untested: untestedOf(told, evidence),
  };
}

function summaryOf(proven: Told[], doubted: Told[], same: Told[], { disks }: SkewEvidence): string {
  const [first] = proven;
  if (first) return `memory and disks are of different instants: ${sentence(first)}`;
  const [doubt] = doubted;
  if (doubt) return `memory and disks may be of different instants: ${sentence(doubt)}`;
  const told = new Set(same.flatMap(({ disk }) => disk ?? []));
  if (told.size === 0) return 'whether memory and disks are of one instant cannot be told';
  return `memory and ${told.size === disks.length ? count(told.size, 'disk') : `${told.size} of ${count(disks.length, 'disk')}`} are of one instant`;
}

function sentence({ relation, proven, type, volume, by, seconds, how }: Told): string {
  const later = { 'disk-later': 'later than', 'disk-earlier': 'earlier than' }[relation as string] ?? 'of another instant than';
  const time = seconds === null ? '' : ` (at ${relation === 'disk-later' ? 'least' : 'most'} ${Math.max(1, Math.round(seconds))} s)`;
  return `the ${type} on ${volume} ${proven ? 'is' : 'may be'} ${later} the memory by ${by}${time}: ${how}`;
}

function findingOf(one: Told): Finding {
  const { relation, proven, volume, disk, seconds } = one;
  return {
    code: proven ? `memory.skew.${relation}` : 'memory.skew.suspected',
    severity: proven ? 'critical' : 'warning',
    message: sentence(one),
    where: { volume, ...(disk === null ? {} : { disk }), ...(seconds === null ? {} : { seconds: Math.round(seconds) }) },
  };
}

function testedOf({ type, volume, how }: Told): CoverageItem {
  return { what: `whether the saved memory and the ${type} on ${volume} are of one instant`, how };
}

/** A disk is of one instant as a whole: one log on it that can be told is enough, and what is not mounted cannot contradict memory. */
function untestedOf(told: Told[], { disks, dataDisks, resumeWanted, why, release }: SkewEvidence): UntestedItem[] {
  return disks.flatMap((disk): UntestedItem[] => {
    const own = told.filter((one) => one.disk === disk);
    if (own.some(({ relation, proven }) => relation === 'same' || (proven && relation !== 'not-mounted' && relation !== 'unknown'))) return [];
    const what = `whether the saved memory and ${disk} are of one instant`;
    const [doubt] = own.filter(({ relation }) => DIFFERS.includes(relation));
    if (doubt) return [{ what, why: `there is doubt, and no proof: ${sentence(doubt)}`, holdsData: true }];
    const open = own.filter(({ relation }) => relation === 'unknown');
    if (open.length > 0) {
      const reasons = open.map(({ type, volume, how }) => `${type} on ${volume}: ${how}`).join('; ');
      return [{ what, why: release === null ? `${why}; ${reasons}` : reasons, holdsData: resumeWanted }];
    }
    if (own.length > 0) return [{ what, why: 'nothing on it was mounted when the memory was saved', holdsData: false }];
    if (!dataDisks.includes(disk)) return [{ what, why: 'nothing that holds data was found on it', holdsData: false }];
    return [{ what, why: 'there is no file system on it whose log could be held against memory', holdsData: resumeWanted }];
  });
}
