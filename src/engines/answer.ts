/**
 * What the script of an engine prints, taken apart. Two kinds of lines count: marks of the script (`@@ name value`), and lines of a program
 * behind a word that the script put there (`log: ...`). Program output is text of the guest: it is only searched, never obeyed.
 */
import type { EngineUse } from '../labs/lab.js';

/** Each line of a script's answer that is not output of a program begins with it. */
export const MARK = '@@';
/** Of a line of program output, as much is kept. */
export const LINE_CHARACTERS = 400;
const MARK_LINE = new RegExp(`^${MARK} ([a-z-]+) ?(.*)$`);
const PROGRAM_LINE = /^([a-z]+): (.*)$/;

export interface EngineAnswer<Kind extends string> {
  marks: Marks;
  /** Lines of program output by the word before them. */
  lines: Record<Kind, string[]>;
}

export class Marks {
  constructor(private readonly values: ReadonlyMap<string, string>) {}

  has(name: string): boolean {
    return this.values.has(name);
  }

  text(name: string): string | null {
    return this.values.get(name)?.slice(0, LINE_CHARACTERS) ?? null;
  }

  /** Fifteen digits at most: more are no figure of a script, and no exact number either. */
  integer(name: string): number | null {
    const text = this.values.get(name);
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null;
  }

  /** Of a mark in nanoseconds. */
  seconds(name: string): number | null {
    const value = this.integer(name);
    return value === null ? null : value / 1e9;
  }
}

/** Takes any text: what is not understood is left out. The first of two marks counts: a guest's program cannot print one later and be believed. */
export function parseAnswer<Kind extends string>(stdout: string, kinds: readonly Kind[]): EngineAnswer<Kind> {
  const values = new Map<string, string>();
  const lines = Object.fromEntries(kinds.map((kind) => [kind, [] as string[]])) as Record<Kind, string[]>;
  for (const line of stdout.split('\n')) {
    const [, name, value] = MARK_LINE.exec(line) ?? [];
    if (name !== undefined && value !== undefined && !values.has(name)) values.set(name, value);
    const [, kind, text] = PROGRAM_LINE.exec(line) ?? [];
    if (kind !== undefined && text !== undefined && (kinds as readonly string[]).includes(kind)) lines[kind as Kind].push(text.slice(0, LINE_CHARACTERS));
  }
  return { marks: new Marks(values), lines };
}

/** Each line once, those of the first kinds before the others, capped: what tells of the data must not be pushed out. */
export function mostTelling<Kind>(lines: string[], kindOf: (line: string) => Kind, kinds: Kind[], most = 20): string[] {
  return [...new Set(kinds.flatMap((kind) => lines.filter((line) => kindOf(line) === kind)))].slice(0, most);
}

/** The first group of the first line that fits. */
export function findIn(lines: string[], pattern: RegExp): string | null {
  for (const line of lines) {
    const match = pattern.exec(line);
    if (match?.[1]) return match[1];
  }
  return null;
}

/** Where an engine ran, for the record. Null in evidence of before there was a choice. */
export function placeOf(use: EngineUse | null): string {
  return use?.how ?? "the guest's own, in the appliance, on the overlay";
}
