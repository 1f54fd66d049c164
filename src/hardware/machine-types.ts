/** Machine types out of what `qemu-system-x86_64 -machine help` prints: a head line, then a name and its description in each line. */

export function machineTypesOf(help: string): string[] {
  const lines = help.split('\n').slice(1);
  return lines.flatMap((line) => /^([\w.+-]+)\s/.exec(line)?.[1] ?? []);
}
