/**
 * Texts of consoles that say what happened, by the messages of the systems themselves. A text alone proves nothing: it names a state
 * that the other signals must agree with. Order matters: the first that fits a line counts.
 */
import type { Recognised, TextMeaning } from '../evidence.js';

interface Pattern {
  code: string;
  meaning: TextMeaning;
  pattern: RegExp;
}

const PATTERNS: Pattern[] = [
  // Linux: kernel/panic.c, kernel/hung_task.c, kernel/watchdog.c, kernel/rcu/tree_stall.h
  { code: 'linux.panic', meaning: 'panic', pattern: /Kernel panic - not syncing: (?!%)\S/ },
  { code: 'linux.bug', meaning: 'panic', pattern: /(?:kernel BUG at [\w./-]+:\d+!|Fixing recursive fault but reboot is needed)/ },
  { code: 'linux.lockup', meaning: 'lockup', pattern: /(?:BUG: soft lockup - CPU#\d+ stuck for \d+|Watchdog detected hard LOCKUP on cpu \d+)/ },
  { code: 'linux.rcu-stall', meaning: 'lockup', pattern: /rcu\w*: INFO: rcu_\w+ (?:self-)?detected (?:expedited )?stall/ },
  { code: 'linux.hung-task', meaning: 'hung-task', pattern: /INFO: task \S{1,20}:\d+ blocked (?:in I\/O wait )?for more than \d+ seconds/ },
  {
    code: 'linux.io-error',
    meaning: 'io-error',
    pattern: /(?:I\/O error, dev \w+, sector \d+|EXT4-fs error \(device |XFS \([\w-]+\): (?:log I\/O error|Corruption))/,
  },
  {
    code: 'linux.file-system-check',
    meaning: 'file-system-check',
    pattern: /(?:Checking (?:in progress on )?\d+ disks?|fsck\.\w+: |\/dev\/\S+: (?:recovering journal|\d+\.\d%))/,
  },
  {
    code: 'linux.emergency',
    meaning: 'emergency',
    pattern:
      /(?:You are in (?:emergency|rescue) mode|Give root password for (?:system )?maintenance|Cannot open access to console, the root account is locked)/,
  },
  {
    code: 'linux.initramfs-shell',
    meaning: 'emergency',
    pattern: /(?:^\(initramfs\) ?$|ALERT!\s+\S+ does not exist\. {1,2}Dropping to a shell|^(?:rd\.?shell|dracut):?\/?# ?$|Entering emergency mode)/,
  },
  {
    code: 'linux.passphrase',
    meaning: 'passphrase',
    pattern: /(?:Please unlock disk \S+|Please enter passphrase for (?:disk|device) |Enter passphrase for \/dev\/)/i,
  },
  // Windows
  {
    code: 'windows.stop',
    meaning: 'panic',
    pattern: /(?:\*\*\* STOP: 0x[0-9A-F]{8}|Your (?:PC|device) ran into a problem|A problem has been detected and [Ww]indows has been shut down)/,
  },
  { code: 'windows.bitlocker', meaning: 'passphrase', pattern: /(?:BitLocker recovery|Enter the (?:recovery key|password to unlock this drive))/ },
  {
    code: 'windows.boot-manager',
    meaning: 'loader-failed',
    pattern: /(?:BOOTMGR is missing|NTLDR is missing|Windows Boot Manager|Windows failed to start|A required device isn't connected)/,
  },
  // Xen and GNU Mach
  { code: 'xen.panic', meaning: 'panic', pattern: /(?:\(XEN\) Panic on CPU \d+:|Manual reset required \('noreboot' specified\))/ },
  { code: 'mach.panic', meaning: 'panic', pattern: /^(?:panic \{cpu\d+\}|No bootstrap code loaded with the kernel)/ },
  // BSD
  { code: 'bsd.panic', meaning: 'panic', pattern: /^panic: (?!%)\S/ },
  { code: 'bsd.debugger', meaning: 'panic', pattern: /^(?:db>|ddb\{\d+\}>)/ },
  // Boot loaders and firmware
  {
    code: 'grub.rescue',
    meaning: 'loader-failed',
    pattern: /(?:grub rescue>|error: (?:no such (?:device|partition)|unknown filesystem|file `\S+' not found))/,
  },
  { code: 'grub.prompt', meaning: 'loader-failed', pattern: /(?:^grub> ?|Minimal BASH-like line editing is supported)/ },
  { code: 'grub.menu', meaning: 'loader', pattern: /(?:GNU GRUB {1,2}version|['`‘]c['’] for a command-line\.|will be executed automatically in \d+s)/ },
  // As Tesseract reads it, too.
  { code: 'systemd-boot.menu', meaning: 'loader', pattern: /(?:^ *Boot in \d+ s\.|Reboot Into Fir\w{2,4}are Interface)/ },
  { code: 'syslinux.menu', meaning: 'loader', pattern: /(?:Automatic boot in \d+ seconds?|Press \[Tab\] to edit options)/ },
  { code: 'syslinux.boot', meaning: 'loader', pattern: /(?:^boot: ?|^(?:SYS|EXT|ISO)LINUX \d)/ },
  {
    code: 'syslinux.failed',
    meaning: 'loader-failed',
    pattern:
      /(?:Could not find kernel image|No DEFAULT or UI configuration directive found|Boot error\s*$|Missing operating system|Operating system load error)/i,
  },
  {
    code: 'firmware.no-boot-device',
    meaning: 'no-boot-device',
    pattern:
      /(?:No bootable device|Boot failed: (?:not a bootable disk|could not read the boot disk)|Operating system not found|BdsDxe: No bootable option|FATAL: No bootable medium|Non-system disk)/i,
  },
  { code: 'firmware.network-boot', meaning: 'no-boot-device', pattern: /(?:No more network devices|PXE-E\d\d:|Start PXE over IPv[46])/ },
  // As Tesseract reads it, too.
  { code: 'firmware.shell', meaning: 'no-boot-device', pattern: /(?:UEFI Interactive Shell v|^Shel ?[lI1|]> ?)/ },
  // How far a boot came
  { code: 'linux.login', meaning: 'login', pattern: /^[\w.-]{1,64} login: ?(?:\[ {0,4}\d{1,6}\.\d{6}\] .*)?$/ },
  { code: 'linux.shell', meaning: 'login', pattern: /^(?:root@[\w.-]{1,64}:\S* ?|[~/]\S* ?)[#$] ?$/ },
  { code: 'systemd.started', meaning: 'user-space', pattern: /(?:systemd\[1\]: |Welcome to (?!GRUB).{1,60}!|\[ {2}OK {2}\] |Run \/\S*init as init process)/ },
  { code: 'linux.kernel', meaning: 'kernel', pattern: /(?:Linux version \d+\.\d+|^\[ {0,4}\d{1,6}\.\d{6}\] )/ },
];

const LONGEST_LINE = 400;
const MOST_LINES = 20_000;
const KEPT_TEXT = 200;

/** Each code once per source, by its last line. Escape sequences of terminals are taken out first. */
export function recognise(text: string, source: Recognised['source'], fresh = true): Recognised[] {
  const found = new Map<string, Recognised>();
  for (const line of plainLines(text)) {
    const hit = PATTERNS.find(({ pattern }) => pattern.test(line));
    if (!hit) continue;
    found.delete(hit.code);
    found.set(hit.code, { code: hit.code, meaning: hit.meaning, text: line.slice(0, KEPT_TEXT), source, fresh });
  }
  return [...found.values()];
}

/** Lines as a reader sees them. */
export function plainLines(text: string): string[] {
  const lines = text.replaceAll(TERMINAL_SEQUENCE, '').split(/\r\n|\n|\r/);
  return lines.slice(-MOST_LINES).map((line) => line.slice(0, LONGEST_LINE).replaceAll(CONTROL, '').trimEnd());
}

/** ECMA-48 control sequences, operating system commands, and single escapes. */
const TERMINAL_SEQUENCE = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g;
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f]/g;

/** What the last line that says anything asks for: a prompt that waits is at the end. */
export function lastPrompt(text: string, source: Recognised['source'], fresh = true): Recognised | null {
  const line = plainLines(text)
    .filter((candidate) => candidate.trim() !== '')
    .at(-1);
  return line === undefined ? null : (recognise(line, source, fresh)[0] ?? null);
}
