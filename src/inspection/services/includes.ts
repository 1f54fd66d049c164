/** Settings that are spread over files: the lines of all of them, where they count. */
import type { GuestReader } from './reader.js';
import { settingLines } from './text.js';

const MAX_DEPTH = 5;
/** Of all files together: files that name each other must come to an end. */
const MAX_LINES = 20_000;
const MAX_CHARACTERS = 4 * 1024 * 1024;
const MAX_INCLUDES = 500;

export interface SettingLine {
  line: string;
  /** The file that it stands in. */
  path: string;
}

/** Absolute patterns of the files that a line takes in; null when it takes in none. */
export type IncludeRule = (line: string, path: string) => Promise<string[] | null> | string[] | null;

/** @param marks characters that begin a comment */
export async function linesWithIncludes(reader: GuestReader, path: string, includes: IncludeRule, marks = '#'): Promise<SettingLine[]> {
  const walk: Walk = { reader, includes, marks, lines: [], left: { lines: MAX_LINES, characters: MAX_CHARACTERS, includes: MAX_INCLUDES } };
  await read(walk, path, 0);
  return walk.lines;
}

interface Walk {
  reader: GuestReader;
  includes: IncludeRule;
  marks: string;
  lines: SettingLine[];
  left: { lines: number; characters: number; includes: number };
}

async function read(walk: Walk, path: string, depth: number): Promise<void> {
  for (const line of settingLines((await walk.reader.text(path)) ?? '', walk.marks)) {
    walk.left.lines--;
    walk.left.characters -= line.length;
    if (walk.left.lines < 0 || walk.left.characters < 0) return;
    const patterns = walk.left.includes > 0 ? await walk.includes(line, path) : null;
    if (patterns === null) walk.lines.push({ line, path });
    else if (depth < MAX_DEPTH) await readAll(walk, patterns, depth + 1);
  }
}

async function readAll(walk: Walk, patterns: string[], depth: number): Promise<void> {
  walk.left.includes--;
  for (const pattern of patterns) for (const path of await walk.reader.glob(pattern)) await read(walk, path, depth);
}
