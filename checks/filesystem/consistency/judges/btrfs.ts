/** Judges the text of `btrfs check --readonly` (btrfs-progs 6.2), see btrfs-check(8). */
import { type CheckerJudgement, judgement, tellingLines } from './judgement.js';

const NEUTRAL = [
  /^\[\d\/\d\] /,
  /^Opening filesystem to check\.\.\.$/,
  /^Checking filesystem on /,
  /^UUID: /,
  /^found \d+ bytes used, no error found$/,
  /^total (csum|tree|fs tree|extent tree) bytes: \d+$/,
  /^btree space waste bytes: \d+$/,
  /^file data blocks allocated: \d+$/,
  /^referenced \d+$/,
];

/** One bad copy that another healed is printed too, and still ends in "no error found". */
export function judgeBtrfsCheck(text: string): CheckerJudgement {
  const lines = tellingLines(text, NEUTRAL);
  if (/^ERROR: /m.test(text) || /error\(s\) found/.test(text)) return judgement('damaged', 'btrfs check found damage', lines);
  if (!/^found \d+ bytes used, no error found$/m.test(text)) return judgement('not-judged', 'btrfs check did not come to its end', [], lines);
  return judgement('sound', lines.length > 0 ? 'btrfs check found nothing that another copy does not heal' : 'btrfs check found nothing', [], lines);
}
