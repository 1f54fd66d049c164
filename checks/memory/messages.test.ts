import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classify, looseMessage } from './messages.js';

/** As kernels of several versions print them. */
const REAL: [string, string, string][] = [
  ['panic', '', 'Kernel panic - not syncing: sysrq triggered crash'],
  ['panic', '', 'Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)'],
  ['panic', '', 'Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b'],
  ['oops', '', 'BUG: unable to handle page fault for address: ffffb3c8c0a4d000'],
  ['oops', '', 'BUG: kernel NULL pointer dereference, address: 0000000000000000'],
  ['oops', '', 'Oops: 0002 [#1] PREEMPT SMP PTI'],
  ['oops', '', 'Oops: general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1] SMP'],
  ['oops', '', 'invalid opcode: 0000 [#1] SMP PTI'],
  ['oops', '', 'kernel BUG at fs/ext4/inode.c:2731!'],
  ['hung-task', '811', 'INFO: task jbd2/vda1-8:811 blocked for more than 120 seconds.'],
  ['hung-task', '42', 'INFO: task kworker/u8:1:42 blocked for more than 241 seconds.'],
  ['hung-task', '7', 'INFO: task sync:7 blocked in I/O wait for more than 122 seconds.'],
  ['soft-lockup', '1', 'watchdog: BUG: soft lockup - CPU#1 stuck for 23s! [stress:811]'],
  ['soft-lockup', '0', 'BUG: soft lockup - CPU#0 stuck for 67s! [swapper/0:1]'],
  ['hard-lockup', '3', 'NMI watchdog: Watchdog detected hard LOCKUP on cpu 3'],
  ['hard-lockup', '3', 'watchdog: CPU0: Watchdog detected hard LOCKUP on cpu 3'],
  ['rcu-stall', 'rcu_sched', 'rcu: INFO: rcu_sched self-detected stall on CPU'],
  ['rcu-stall', 'rcu_preempt', 'rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:'],
  ['rcu-stall', 'rcu_sched', 'INFO: rcu_sched self-detected stall on CPU { 1}  (t=60001 jiffies g=1 c=0 q=2)'],
  ['io-error', 'vda', 'I/O error, dev vda, sector 2048 op 0x1:(WRITE) flags 0x800 phys_seg 1 prio class 2'],
  ['io-error', 'sda', 'blk_update_request: I/O error, dev sda, sector 0 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 0'],
  ['io-error', 'sdb', 'end_request: I/O error, dev sdb, sector 1'],
  ['io-error', 'dm-1', 'Buffer I/O error on dev dm-1, logical block 5, lost async page write'],
  ['io-error', 'sda', 'critical medium error, dev sda, sector 81 op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 2'],
  ['fs-error', 'vda1', 'EXT4-fs error (device vda1): ext4_lookup:1855: inode #2: comm ls: iget: checksum invalid'],
  ['fs-error', 'vda1-8', 'Aborting journal on device vda1-8.'],
  ['fs-error', 'vdb1', 'XFS (vdb1): Metadata corruption detected at xfs_agi_verify+0x1a2/0x1d0 [xfs], xfs_agi block 0x2'],
  ['fs-error', 'vdc', 'BTRFS error (device vdc: state A): Transaction aborted (error -5)'],
  ['fs-error', 'sdb', 'BTRFS critical (device sdb): corrupt leaf: root=5 block=30408704'],
  ['fs-stopped', 'vda1', 'EXT4-fs (vda1): Remounting filesystem read-only'],
  ['fs-stopped', 'vdb1', 'XFS (vdb1): Filesystem has been shut down due to log error (0x2).'],
  [
    'fs-stopped',
    'vdb1',
    'XFS (vdb1): Corruption of in-memory data (0x8) detected at xfs_trans_cancel+0x12/0x30 [xfs] (fs/xfs/xfs_trans.c:1132).  Shutting down filesystem.',
  ],
  ['fs-stopped', 'vdc', 'BTRFS info (device vdc: state E): forced readonly'],
  ['fs-remounted', 'vda1', 'EXT4-fs (vda1): re-mounted 1b2c r/w. Quota mode: none.'],
  ['out-of-memory', '812', 'Out of memory: Killed process 812 (postgres) total-vm:1 kB'],
  ['out-of-memory', '812', 'Memory cgroup out of memory: Killed process 812 (java) total-vm:1 kB'],
];

const HARMLESS = [
  'Kernel panic - not syncing: %s',
  '---[ end Kernel panic - not syncing: %s ]---',
  'INFO: task %s:%d blocked for more than %ld seconds.',
  'watchdog: BUG: soft lockup - CPU#%d stuck for %us! [%s:%d]',
  '%s error, dev %s, sector %llu op 0x%x:(%s) flags 0x%x phys_seg %u prio class %u',
  'EXT4-fs error (device %s): %s:%d: comm %s: ',
  'Nov 27 19:13:20 guest kernel: [  120.1] Kernel panic - not syncing: sysrq triggered crash',
  'pr_emerg("Kernel panic - not syncing: %s\\n", buf);',
  'blk_update_request: I/O error, dev fd0, sector 0 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 0',
  'I/O error, dev sr0, sector 0 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2',
  'EXT4-fs (vda1): mounted filesystem with ordered data mode. Quota mode: none.',
  'EXT4-fs (vda1): recovery complete',
  'XFS (vdb1): Ending clean mount',
  'traps: postgres[812] general protection fault ip:7f sp:7f error:0 in libc.so.6',
  'postgres[812]: segfault at 0 ip 00007f sp 00007f error 4 in libc.so.6',
  'NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.',
  'hung_task: the watchdog is enabled',
];

describe('messages of a kernel', () => {
  it.each(REAL)('%s of "%s": %s', (kind, subject, text) => {
    expect(classify(text)).toEqual({ kind, subject });
  });

  it.each(HARMLESS)('means no trouble: %s', (text) => {
    expect(classify(text)).toBeNull();
  });

  it('can be anything', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void classify(text)));
  });
});

describe('text in raw memory', () => {
  const around = (before: string, text: string) => looseMessage(Buffer.from(before, 'latin1'), Buffer.from(text, 'latin1'));

  it('is a message where it stands for itself', () => {
    expect(around('\x01\0\0', 'Kernel panic - not syncing: Fatal exception\n\0')).toBe('Kernel panic - not syncing: Fatal exception');
    expect(around('\0INFO: task sh:155', ' blocked for more than 120 seconds.\0rest')).toBe('INFO: task sh:155 blocked for more than 120 seconds.');
    expect(around('\n<0>[   12.345678] ', 'Kernel panic - not syncing: Fatal exception\n')).toBe('Kernel panic - not syncing: Fatal exception');
  });

  it('is none within a log file, a journal or source text', () => {
    expect(around('\nNov 27 19:13:20 guest kernel: [   12.3] ', 'Kernel panic - not syncing: Fatal exception\n')).toBeNull();
    expect(around('\0MESSAGE=', 'Kernel panic - not syncing: Fatal exception\0')).toBeNull();
    expect(around('\n\tpanic("', 'Kernel panic - not syncing: %s", buf);\n')).toBeNull();
    expect(around('\x010', 'Kernel panic - not syncing: %s\n\0')).toBeNull();
  });
});
