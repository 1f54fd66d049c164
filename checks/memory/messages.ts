/** What the messages of a Linux kernel mean for the question whether the machine still lived. Wordings of kernels 2.6.32 to 7.2. */

export type MessageKind =
  | 'panic'
  | 'oops'
  | 'hung-task'
  | 'soft-lockup'
  | 'hard-lockup'
  | 'rcu-stall'
  | 'io-error'
  | 'fs-error'
  | 'fs-stopped'
  | 'fs-remounted'
  | 'out-of-memory';

export interface Message {
  kind: MessageKind;
  /** What it is about: a device, a processor, a task's number; empty when it says nothing of that. */
  subject: string;
}

const DEVICE = '([\\w.!:-]*\\w)';

/** Anchored at the beginning of a message: format strings, quoted logs and source text do not begin so. The first that fits counts. */
const PATTERNS: [MessageKind, RegExp][] = [
  ['panic', /^Kernel panic - not syncing(?:: (?!%)|$)()/],
  ['hung-task', /^INFO: task .{1,64}:(\d+) blocked (?:in I\/O wait )?for more than \d+ seconds/],
  ['soft-lockup', /^(?:watchdog: )?BUG: soft lockup - CPU#(\d+) stuck for \d+s!/],
  ['hard-lockup', /^(?:NMI )?(?:watchdog: )?(?:CPU\d+: )?Watchdog detected hard LOCKUP on cpu ?(\d+)/],
  ['rcu-stall', /^(?:rcu: )?INFO: (rcu\w+) (?:self-)?detected (?:expedited )?stalls? on CPU/],
  ['oops', /^(?:BUG: unable to handle|BUG: kernel NULL pointer|kernel BUG at |PANIC: double fault)()/],
  ['oops', /^[A-Za-z][\w ,-]{2,100}: (?:[\w ,-]{2,100}: )?[0-9a-f]{4} \[#\d+\]()/],
  ['fs-stopped', new RegExp(`^EXT[234]-fs \\(${DEVICE}\\): Remounting filesystem read-only`)],
  ['fs-stopped', new RegExp(`^XFS \\(${DEVICE}\\): .*(?:[Ss]hutting down filesystem|Filesystem has been shut down|User initiated shutdown)`)],
  ['fs-stopped', new RegExp(`^BTRFS \\w+ \\(device ${DEVICE}(?:: state \\w+)?\\):? .*forced readonly`)],
  ['fs-stopped', new RegExp(`^FAT-fs \\(${DEVICE}\\): Filesystem has been set read-only`)],
  ['fs-remounted', new RegExp(`^EXT[234]-fs \\(${DEVICE}\\): re-mounted`)],
  ['fs-error', new RegExp(`^EXT[234]-fs error \\(device ${DEVICE}\\)`)],
  ['fs-error', new RegExp(`^XFS \\(${DEVICE}\\): (?:Corruption|Internal error|Metadata (?:corruption|CRC error)|metadata I/O error|log I/O error)`)],
  ['fs-error', new RegExp(`^BTRFS:? (?:error|critical) \\(device ${DEVICE}`)],
  ['fs-error', new RegExp(`^(?:FAT|F2FS|NTFS|ntfs3)-fs(?: error)? \\((?:device )?${DEVICE}\\): error`)],
  ['fs-error', new RegExp(`^Aborting journal on device ${DEVICE}`)],
  ['io-error', new RegExp(`^(?:(?:blk_update_request|print_req_error|end_request): )?(?:I/O|critical (?:medium|target|nexus)) error, dev ${DEVICE}, sector`)],
  ['io-error', new RegExp(`^Buffer I/O error on dev(?:ice)? ${DEVICE},`)],
  ['out-of-memory', /^(?:Memory cgroup out of memory|Out of memory)[^:]*: Kill(?:ed)? process (\d+)/],
];

/** Drives that are empty as a rule: errors on them say nothing. */
const EMPTY_DRIVES = /^(?:fd|sr)\d/;

/** Null when a message is none of those. */
export function classify(text: string): Message | null {
  for (const [kind, pattern] of PATTERNS) {
    const match = pattern.exec(text);
    if (match) return kind === 'io-error' && EMPTY_DRIVES.test(match[1] ?? '') ? null : { kind, subject: match[1] ?? '' };
  }
  return null;
}

/** Parts of those messages that are worth a search through all memory; what is found is judged by `classify`. */
export const PHRASES = [
  'Kernel panic - not syncing',
  ' blocked for more than ',
  'BUG: soft lockup - CPU#',
  ' detected hard LOCKUP on cpu',
  'emounting filesystem read-only',
];

/** The message around a phrase that was found in raw memory, if it stands there as a log's own text would: not within a longer line. */
export function looseMessage(before: Buffer, text: Buffer): string | null {
  const head = printableEnd(before);
  const tail = /^[\x20-\x7e]*/.exec(text.toString('latin1'))?.[0] ?? '';
  const message = `${head}${tail}`.replace(/^<\d{1,3}>\[ *\d+\.\d+\] /, '');
  return classify(message) ? message : null;
}

function printableEnd(before: Buffer): string {
  return /[\x20-\x7e]*$/.exec(before.toString('latin1'))?.[0] ?? '';
}
