/** Lines of text for a terminal: how wide they are, and where they break. */

/** Blocks of East Asian wide and emoji characters (Unicode Standard Annex 11, without its ambiguous ones). */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
const NARROWEST = 20;

/** Columns a text takes; without colours in it. */
export function textWidth(text: string): number {
  let columns = 0;
  for (const character of text) columns += characterWidth(character);
  return columns;
}

function characterWidth(character: string): number {
  if (character < '\u0300') return 1;
  if (/\p{Mn}|\p{Me}/u.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

export interface WrapOptions {
  /** Columns of the whole line. */
  width: number;
  /** Before the first line; its width is kept free before the others. */
  first?: string;
  /** Before the other lines; default: blanks as wide as `first`. */
  rest?: string;
}

/** Breaks at blanks; a word longer than a line is cut. Never gives an empty list. */
export function wrap(text: string, options: WrapOptions): string[] {
  const first = options.first ?? '';
  const rest = options.rest ?? ' '.repeat(textWidth(first));
  const room = Math.max(options.width - Math.max(textWidth(first), textWidth(rest)), NARROWEST);
  return breakWords(text, room).map((line, index) => `${index === 0 ? first : rest}${line}`.trimEnd());
}

function breakWords(text: string, room: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/ +/).flatMap((long) => cut(long, room))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (textWidth(longer) <= room) line = longer;
    else {
      lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}

function cut(word: string, room: number): string[] {
  if (textWidth(word) <= room) return [word];
  const parts: string[] = [];
  let part = '';
  let columns = 0;
  for (const character of word) {
    const wide = characterWidth(character);
    if (columns + wide > room) {
      parts.push(part);
      part = '';
      columns = 0;
    }
    part += character;
    columns += wide;
  }
  return [...parts, part];
}

export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - textWidth(text)));
}

export function padStart(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - textWidth(text))) + text;
}

/** Rows as columns, two blanks apart, as wide as their widest cell; `right` names the columns set to the right. */
export function table(rows: string[][], right: number[] = []): string[] {
  const widths = (rows[0] ?? []).map((_cell, column) => Math.max(...rows.map((row) => textWidth(row[column] ?? ''))));
  return rows.map((row) =>
    row
      .map((cell, column) => (right.includes(column) ? padStart : padEnd)(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
