/** What the text of a checker says. Exit codes are not looked at: half of them mislead. */

export interface CheckerJudgement {
  /**
   * `sound`: the checker went to its end and found nothing that matters.
   * `damaged`: it found what needs repair.
   * `not-judged`: its text is worth nothing here (log not replayed, cut off), `why` says so.
   */
  result: 'sound' | 'damaged' | 'not-judged';
  why: string;
  /** Lines that name damage, most telling first come as they were printed; capped. */
  problems: string[];
  /** Lines worth telling that are no damage: dirty marks, healed copies, deleted but open files. */
  remarks: string[];
}

const MAX_LINES = 20;

export function judgement(result: CheckerJudgement['result'], why: string, problems: string[] = [], remarks: string[] = []): CheckerJudgement {
  return { result, why, problems: problems.slice(0, MAX_LINES), remarks: remarks.slice(0, MAX_LINES) };
}

/** Lines without those that say nothing, trimmed. */
export function tellingLines(text: string, neutral: RegExp[]): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !neutral.some((pattern) => pattern.test(line)));
}

/** Texts of a checker that could not look at all: no statement about the file system. Null when it did look. */
export function whyNotRun(text: string): string | null {
  const line = text.split('\n').find((candidate) => NOT_RUN.some((pattern) => pattern.test(candidate)));
  return line?.trim() ?? null;
}

const NOT_RUN = [
  /: not found$/,
  /command not found/,
  /No such file or directory/,
  /Permission denied/,
  /Device or resource busy/,
  /^(?!Warning!).*\bis mounted\.?$/, // e2fsck warns only, and looks all the same
  /is currently mounted/,
  /contains a mounted( and writable)? filesystem/,
  /Cannot allocate memory|Memory allocation failed|not enough memory|out of memory/i,
  /has unsupported feature|unsupported filesystem features|unknown incompatible features|unsupported option feature/i,
];
