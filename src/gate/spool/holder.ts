/** Who has taken an entry: a process of this boot of this host, written into the name of the file. */
import { bootId, isAlive, type ProcessIdentity } from '../../process/proc.js';

/** `taken-<pid>-<start>-<boot>`. */
export function holderName({ pid, startTicks }: ProcessIdentity): string {
  return `taken-${pid}-${startTicks}-${shortBoot()}`;
}

/** A name that says nothing we understand counts as dead: nobody who lives wrote it. */
export function holderIsAlive(name: string): boolean {
  const [, pid, startTicks, boot] = /^taken-(\d+)-(\d+)-([0-9a-f]{8})$/.exec(name) ?? [];
  return boot === shortBoot() && isAlive({ pid: Number(pid), startTicks: Number(startTicks) });
}

function shortBoot(): string {
  return bootId()
    .replaceAll(/[^0-9a-f]/g, '')
    .slice(0, 8)
    .padEnd(8, '0');
}
