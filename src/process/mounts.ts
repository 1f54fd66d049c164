/** FUSE mounts below a folder: found in /proc/self/mountinfo, proc_pid_mountinfo(5), and taken away. */
import { readFileSync } from 'node:fs';
import { findTool } from '../setup/debian.mjs';
import { runTool } from './run-tool.js';

/** Mount points at or below a folder, deepest first. */
export function mountsBelow(folder: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => unescapeOctal(line.split(' ')[4] ?? ''))
    .filter((point) => point === folder || point.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length);
}

/** Unmounts everything below a folder; what stayed is seen by asking `mountsBelow` again. */
export async function unmountBelow(folder: string): Promise<void> {
  for (const point of mountsBelow(folder)) {
    const fusermount = findTool('fusermount3') ?? findTool('fusermount');
    if (fusermount) await runTool({ tool: fusermount, args: ['-u', '-z', point], timeoutMs: 5_000 });
    if (process.getuid?.() === 0 && mountsBelow(folder).includes(point)) await runTool({ tool: 'umount', args: ['-l', point], timeoutMs: 5_000 });
  }
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
