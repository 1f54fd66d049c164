/** The few shapes that most settings files have. */

/** Lines without comments that begin with one of `marks`, without blank ones, continued lines (`\` at the end) put together. */
export function settingLines(text: string, marks = '#'): string[] {
  const joined = text.replace(/\\\r?\n/g, ' ');
  return joined
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !marks.includes(line[0] ?? ''));
}

export interface IniEntry {
  /** Lower case. */
  section: string;
  /** As written. */
  key: string;
  value: string;
}

/** `[section]`, `key = value`; a key without a value is one with an empty value. */
export function iniEntries(text: string, marks = '#;'): IniEntry[] {
  let section = '';
  return settingLines(text, marks).flatMap((line) => {
    const head = /^\[([^\]]*)\]/.exec(line);
    if (head) section = (head[1] ?? '').trim().toLowerCase();
    if (head) return [];
    const at = line.indexOf('=');
    return [{ section, key: (at < 0 ? line : line.slice(0, at)).trim(), value: at < 0 ? '' : line.slice(at + 1).trim() }];
  });
}

/** `NAME="value"` as shells and systemd read it; the last of each counts. */
export function shellAssignments(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of settingLines(text)) {
    const match = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(?:"([^"]*)"|'([^']*)'|(\S*))/.exec(line);
    if (match) found.set(match[1] ?? '', match[2] ?? match[3] ?? match[4] ?? '');
  }
  return found;
}

/** Words at blanks; quotes keep blanks within and are taken off. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|([^\s"']+)/g)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

export function isYes(value: string): boolean {
  return /^(yes|true|on|1)$/i.test(value.trim());
}
