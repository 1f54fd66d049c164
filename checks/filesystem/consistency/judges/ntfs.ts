/**
 * Judges the texts of `ntfsfix -n` and `ntfsinfo -m` (ntfs-3g 2022.10) and of a walk over the mounted tree.
 * None of them replays $LogFile, and there is no full checker: what they say is advice while the log is pending.
 */
import { type CheckerJudgement, judgement, tellingLines } from './judgement.js';

const NEUTRAL = [
  /^Mounting volume\.\.\. OK$/,
  /^Processing of \$MFT and \$MFTMirr completed successfully\.$/,
  /^Checking the alternate boot sector\.\.\. OK$/,
  /^NTFS volume version is /,
  /^NTFS partition .* was processed successfully\.$/,
];
const DIRTY_MARK = /Volume is scheduled for check/;
const INCONSISTENT = /NTFS is inconsistent|Failed to mount|Input\/output error/;

export interface NtfsTexts {
  ntfsfix: string;
  ntfsinfo: string;
  /** Errors of reading every folder; empty when the walk met none. Null when it could not be made. */
  walk: string | null;
  /** From our own reading of $LogFile and $Volume before anything ran. */
  replayPending: boolean;
}

export function judgeNtfs(texts: NtfsTexts): CheckerJudgement {
  const problems = tellingLines(texts.ntfsfix, NEUTRAL);
  if (INCONSISTENT.test(texts.ntfsinfo) && !DIRTY_MARK.test(texts.ntfsinfo)) problems.push(...tellingLines(texts.ntfsinfo, [/\t/]).slice(0, 4));
  problems.push(...tellingLines(texts.walk ?? '', []));
  const dirty = DIRTY_MARK.test(texts.ntfsinfo) ? ['the volume is marked dirty: Windows checks it at the next start'] : [];
  if (texts.replayPending) {
    const why = 'its journal is pending and only Windows can replay it: what the tools say of the structure is advice';
    return judgement('not-judged', why, [], [...dirty, ...problems]);
  }
  if (problems.length > 0) return judgement('damaged', 'the NTFS tools found damage', problems, dirty);
  if (!/was processed successfully\.$/m.test(texts.ntfsfix)) return judgement('not-judged', 'ntfsfix did not come to its end');
  if (texts.walk === null) return judgement('not-judged', 'its folders could not be walked', [], dirty);
  return judgement('sound', 'the NTFS tools found nothing, and every folder can be read', [], dirty);
}
