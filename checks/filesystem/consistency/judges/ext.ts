/** Judges the text of `e2fsck -fn` (e2fsprogs 1.47), see e2fsck(8). */
import { type CheckerJudgement, judgement, tellingLines } from './judgement.js';

const NEUTRAL = [
  /^Warning! +\S+ is (mounted|in use)\.$/, // read-only, and by us: see `keep` in script.ts
  /^e2fsck \d/,
  /^Pass [1-5]A?: /,
  /^(Fix|Clear)\? no$/,
  /\*\*\* WARNING: Filesystem still has errors/,
  /: \d+\/\d+ files \(.*\), \d+\/\d+ blocks$/,
];
/** What a deleted but still open file leaves, and totals that are only written at unmount. */
const ORPHAN = [
  /^Deleted inode \d+ has zero dtime\./,
  /^(Inode|Block) bitmap differences:( +-(\d+|\(\d+--\d+\)))+$/,
  /^Free (inodes|blocks) count wrong( for group #\d+)? \(\d+, counted=\d+\)\.$/,
];
const TOTALS = /^Free (inodes|blocks) count wrong \(\d+, counted=\d+\)\.$/;

export function judgeE2fsck(text: string): CheckerJudgement {
  if (/skipping journal recovery/.test(text)) return judgement('not-judged', 'its journal was not replayed: what e2fsck says before that is worth nothing');
  const lines = tellingLines(text, NEUTRAL);
  const whole = /^Pass 5: /m.test(text) && /: \d+\/\d+ files \(.*\), \d+\/\d+ blocks$/m.test(text);
  const hasOrphan = lines.some((line) => ORPHAN[0]?.test(line));
  const harmless = (line: string) => TOTALS.test(line) || (hasOrphan && ORPHAN.some((pattern) => pattern.test(line)));
  const problems = lines.filter((line) => !harmless(line));
  if (problems.length > 0) return judgement('damaged', 'e2fsck found damage', problems);
  if (!whole) return judgement('not-judged', 'e2fsck did not come to its end');
  const remarks = lines.filter(harmless);
  return judgement('sound', remarks.length > 0 ? 'e2fsck found deleted but open files only' : 'e2fsck found nothing', [], remarks);
}
