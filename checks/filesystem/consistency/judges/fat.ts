/** Judges the texts of `fsck.fat -n` (dosfstools 4.2) and `fsck.exfat -n` (exfatprogs 1.2). */
import { type CheckerJudgement, judgement, tellingLines } from './judgement.js';

const FAT_NEUTRAL = [/^fsck\.fat \d/, /^Leaving filesystem unchanged\.$/, /^.*: \d+ files, \d+\/\d+ clusters$/];
/** Marks of a volume in use, and space that a crash leaves allocated: nothing that holds data. */
const FAT_REMARKS = [
  /^Dirty bit is set\. Fs was not properly unmounted/,
  /^Automatically removing dirty bit\.$/,
  /^There are differences between boot sector and its backup\.$/,
  /^This is mostly harmless\. Differences: /,
  /^\d+:[0-9a-f]{2}\/[0-9a-f]{2}(, \d+:[0-9a-f]{2}\/[0-9a-f]{2})*$/,
  /^Not automatically fixing this\.$/,
  /^Free cluster summary (wrong|uninitialized)/,
  /^Auto-correcting\.$|^Auto-setting\.$/,
  /^Reclaimed \d+ unused clusters?/,
];

export function judgeFsckFat(text: string): CheckerJudgement {
  const lines = tellingLines(text, FAT_NEUTRAL);
  const remarks = lines.filter((line) => FAT_REMARKS.some((pattern) => pattern.test(line)));
  const problems = lines.filter((line) => !remarks.includes(line));
  if (problems.length > 0) return judgement('damaged', 'fsck.fat found damage', problems, remarks);
  if (!/: \d+ files, \d+\/\d+ clusters$/m.test(text)) return judgement('not-judged', 'fsck.fat did not come to its end');
  return judgement('sound', 'fsck.fat found nothing that holds data', [], remarks);
}

const EXFAT_NEUTRAL = [/^exfatprogs version : /, /: clean\. directories \d+, files \d+$/];

/** It says "clean" even after it failed to read the bitmap: any other line is damage. */
export function judgeFsckExfat(text: string): CheckerJudgement {
  const problems = tellingLines(text, EXFAT_NEUTRAL);
  if (problems.length > 0) return judgement('damaged', 'fsck.exfat found damage', problems);
  if (!/: clean\. directories \d+, files \d+$/m.test(text)) return judgement('not-judged', 'fsck.exfat did not come to its end');
  return judgement('sound', 'fsck.exfat found nothing');
}
