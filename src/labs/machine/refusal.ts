/** QEMU's own words when it ends: is it the hardware or the memory that it does not take, or this host that is in the way? */
import { LabError } from '../../errors.js';

/** Says nothing about the restore point: files, rights, memory and devices of this host. */
const OF_THIS_HOST: RegExp[] = [
  /Could not (open|access|create|initialize)|Permission denied|Failed to (get|bind|connect)|Too many open files|No space left/i,
  /Cannot allocate memory|out of memory|cannot set up guest memory|Operation not permitted|Device or resource busy/i,
  /failed to initialize (kvm|tcg)|Could not access KVM|failed to set MSR|requires KVM|could not load (PC BIOS|firmware)|failed to find romfile/i,
  /^(bwrap|prlimit): |seccomp|\/dev\/net\/tun|could not configure/i,
];
/** Says how the loading went on, with the number of an error that fits nothing: a plain -1 reads "Operation not permitted". */
const OF_THE_LOADING = /^(load of migration failed|error while loading)/;
/** What the stream wants of a network card depends on how this host connects it. */
const OF_THE_CARD = /requires vnet_hdr=on|requires TUN_F_UFO|(\n|^)[^\n]*Features 0x[0-9a-f]+ unsupported/;

const MAX_WORDS = 2000;
/** SIGKILL, as the kernel does when memory runs out, and SIGSYS for a call that its own sandbox forbids. */
const KILLED = [128 + 9, 128 + 31];

/** The lines without QEMU's name before each, and without warnings; empty when it said nothing. */
export function wordsOf(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.replace(/^qemu-system-x86_64: /, '').trim());
  return lines
    .filter((line) => line !== '' && !line.startsWith('warning:'))
    .join('\n')
    .slice(0, MAX_WORDS);
}

/**
 * @param what it does not take: `the hardware`, `the memory`
 * @param exitCode bubblewrap gives 128 and the number of the signal that ended QEMU
 */
export function refusal(what: string, stderr: string, exitCode: number | null): LabError {
  const words = wordsOf(stderr) || `it ended without a word (exit code ${exitCode ?? 'none'})`;
  if (exitCode !== null && KILLED.includes(exitCode)) return hostError(`it was killed. ${words}`);
  if (OF_THE_CARD.test(words)) return cardError(words);
  if (words.split('\n').some(isOfThisHost)) return hostError(words);
  return refused(`QEMU does not take ${what}: ${words}`);
}

function isOfThisHost(line: string): boolean {
  return !OF_THE_LOADING.test(line) && OF_THIS_HOST.some((pattern) => pattern.test(line));
}

export function refused(message: string, cause?: unknown): LabError {
  return new LabError({ code: 'machine.refused', message, advice: 'Compare the hardware in restore-point.json with that of the original machine.', cause });
}

function cardError(words: string): LabError {
  return new LabError({
    code: 'machine.card',
    message: `A network card of the saved machine was connected by a tap device, and this host cannot do the same in the sandbox: ${words}`,
    advice: 'Load the module tun (sudo modprobe tun) and install iproute2, so that /dev/net/tun and the program ip are there.',
  });
}

function hostError(words: string): LabError {
  return new LabError({ code: 'machine.start', message: `QEMU cannot start the machine on this host: ${words}`, advice: 'Run: snapproof doctor' });
}
