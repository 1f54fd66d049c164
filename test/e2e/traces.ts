/** What a run may not leave: processes, mounts, files; and what it may not touch: the files of a restore point. */
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Processes that name the folder in their command line or environment, mounts below it, files in it, and libguestfs's socket folders. */
export function leftovers(temporary: string): string[] {
  return [
    ...processesNaming(temporary).map(({ pid, words }) => `process ${pid}: ${words}`),
    ...readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(temporary))
      .map((line) => `mount ${line}`),
    ...readdirSync(temporary, { recursive: true })
      .map(String)
      .filter((name) => name !== `snapproof-${process.getuid?.()}`)
      .map((name) => `file ${name}`),
  ];
}

/** libguestfs keeps its sockets in /tmp for root, whatever TMPDIR says; other programs may have some there too. */
export function socketFolders(): string[] {
  return readdirSync('/tmp').filter((name) => /^libguestfs\w{6}$/.test(name));
}

export function processesNaming(folder: string): { pid: number; words: string }[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return pids.flatMap((pid) => {
    try {
      if (/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) return [];
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      const marked = words.includes(folder) || readFileSync(`/proc/${pid}/environ`, 'utf8').includes(folder);
      return marked ? [{ pid: Number(pid), words: words.slice(0, 200) }] : [];
    } catch {
      return [];
    }
  });
}

/** Inode, times, mode and (where `digest` is set) SHA-256 of every file below a folder. */
export async function fingerprint(folder: string, digest = true): Promise<string[]> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return Promise.all(
    names.map(async (path) => {
      const { ino, mtimeNs, size, mode } = statSync(path, { bigint: true });
      return [path, ino, mtimeNs, size, mode, digest ? await sha256(path) : ''].join(' ');
    }),
  );
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
