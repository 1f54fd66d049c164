/** Judges the text of `xfs_repair -n` (xfsprogs 6.1), see xfs_repair(8). */
import { type CheckerJudgement, judgement, tellingLines } from './judgement.js';

const NEUTRAL = [
  /^Phase [1-7] - /,
  /^- /,
  /^No modify flag set, skipping /,
  /^Cannot get host filesystem geometry\.$/,
  /^Repair may fail if there is a sector size mismatch between$/,
  /^the image and the host filesystem\.$/,
  /^Note - quota info will be regenerated on next quota mount\.$/,
];

export function judgeXfsRepair(text: string): CheckerJudgement {
  if (/valuable metadata changes in a log which is being/.test(text)) {
    return judgement('not-judged', 'its log was not replayed: what xfs_repair says before that is worth nothing');
  }
  const problems = tellingLines(text, NEUTRAL);
  if (problems.length > 0) return judgement('damaged', 'xfs_repair found damage', problems);
  if (!/^No modify flag set, skipping filesystem flush and exiting\.$/m.test(text)) return judgement('not-judged', 'xfs_repair did not come to its end');
  return judgement('sound', 'xfs_repair found nothing');
}
