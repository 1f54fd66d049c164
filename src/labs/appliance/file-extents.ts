/**
 * Which blocks of its volume hold a file: FIEMAP, as filefrag (e2fsprogs) prints it.
 * Flags: https://docs.kernel.org/filesystems/fiemap.html
 */

/** `deviceOffset` is into the volume; null for zeroes that were allocated and never written. */
export interface FileExtent {
  offset: number;
  lengthBytes: number;
  deviceOffset: number | null;
}

const UNIT_BYTES = 512;
/** Bytes with one of these flags are not stored plainly at the place named. */
const NOT_PLAIN = new Set(['inline', 'encoded', 'encrypted', 'delalloc', 'unknown_loc', 'not_aligned', 'tail']);

/** Prints the extents of the files whose names arrive NUL-separated on standard input, in that order. */
export const FILEFRAG = 'xargs -0 -r filefrag -v -b512 -- 2>&1';

/**
 * Extents of each file in the order they were asked, or null for a file that is not stored plainly or could not be mapped.
 * @param printed what filefrag printed; only lines at fixed places are believed, names are never parsed
 * @param names of the files asked, to see which one an answer is about
 */
export function parseFilefrag(printed: string, names: string[]): (FileExtent[] | null)[] {
  const sections = splitSections(printed);
  let section = 0;
  return names.map((name) => {
    const current = sections[section];
    if (current?.name !== name) return null; // filefrag passed over this one with an error line
    section++;
    return parseExtents(current.lines);
  });
}

function splitSections(printed: string): { name: string; lines: string[] }[] {
  const sections: { name: string; lines: string[] }[] = [];
  for (const line of printed.split('\n')) {
    const head = /^File size of (.*) is \d+ \(\d+ blocks? of 512 bytes\)$/.exec(line);
    if (head) sections.push({ name: head[1] as string, lines: [] });
    else sections.at(-1)?.lines.push(line);
  }
  return sections;
}

function parseExtents(lines: string[]): FileExtent[] | null {
  const extents: FileExtent[] = [];
  let counted = 0;
  for (const line of lines) {
    counted = Math.max(counted, Number(/: (\d+) extents? found$/.exec(line)?.[1] ?? 0));
    const match = /^\s*\d+:\s*(\d+)\.\.\s*\d+:\s*(\d+)\.\.\s*\d+:\s*(\d+):(?:\s*\d+:)?\s*(.*)$/.exec(line);
    if (!match) continue;
    const [, logical, physical, length, flagText] = match as unknown as [string, string, string, string, string];
    const flags = flagText.split(',').map((flag) => flag.trim());
    if (flags.some((flag) => NOT_PLAIN.has(flag))) return null;
    const unwritten = flags.includes('unwritten');
    extents.push({
      offset: Number(logical) * UNIT_BYTES,
      lengthBytes: Number(length) * UNIT_BYTES,
      deviceOffset: unwritten ? null : Number(physical) * UNIT_BYTES,
    });
  }
  // Where the kernel has no FIEMAP (FAT), filefrag counts extents and shows none: that is no hole.
  return extents.length === 0 && counted > 0 ? null : extents;
}
