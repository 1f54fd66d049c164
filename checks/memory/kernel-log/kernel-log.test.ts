import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KernelLog, LogRecord } from '../linux/log-record.js';
import type { MountedFileSystem } from '../linux/mounts.js';
import type { LinuxState, MemorySurvey } from '../survey.js';
import { evidenceOf } from './evidence.js';
import { judgeKernelLog } from './judge.js';

const NOW = 10_000;

function survey(messages: [number, string, number?][], more: Partial<LinuxState> = {}): MemorySurvey {
  const records = messages.map(([seconds, text, facility = 0]): LogRecord => ({ seconds, facility, text }));
  const log: KernelLog = { layout: 'ring', records: [{ seconds: 0, facility: 0, text: 'Linux version 6.1.0' }, ...records] };
  const linux: LinuxState = { release: '6.1.0', log, mounts: [], clock: null, logSeconds: NOW, tasks: { threads: 9, waiting: [] }, panicCpu: null, ...more };
  return { scanned: { bytes: 0, milliseconds: 0 }, linux, why: '', texts: [], commits: [], records: [] };
}

const judged = (messages: [number, string, number?][], more: Partial<LinuxState> = {}) =>
  judgeKernelLog(JSON.parse(JSON.stringify(evidenceOf(survey(messages, more)))));
const codes = (messages: [number, string, number?][], more: Partial<LinuxState> = {}) => {
  const { outcome, findings, untested } = judged(messages, more);
  return [outcome, ...findings.map(({ code, severity }) => `${code} ${severity}`), ...untested.map(({ holdsData }) => `untested ${holdsData}`)].join(', ');
};
const mount = (device: string, more: Partial<MountedFileSystem> = {}): MountedFileSystem => ({
  ...{ device, type: 'ext4', uuid: null, frozen: 0, readOnly: false, steady: true, log: null },
  ...more,
});

const HUNG = 'INFO: task sync:811 blocked for more than 120 seconds.';
const SOFT = 'watchdog: BUG: soft lockup - CPU#1 stuck for 23s! [stress:811]';
const STOPPED = 'EXT4-fs (vda1): Remounting filesystem read-only';

describe('a sound log', () => {
  it('passes', () => {
    expect(judged([[5, 'EXT4-fs (vda1): mounted filesystem with ordered data mode.']])).toMatchObject({ outcome: 'pass', findings: [], untested: [] });
  });

  it('passes with what programs write into it', () => {
    expect(codes([[NOW, 'Kernel panic - not syncing: said a program', 1]])).toBe('pass');
  });
});

describe('a panic', () => {
  it('fails, however long ago the log says', () => {
    const judgement = judged([[NOW, 'Kernel panic - not syncing: sysrq triggered crash']]);
    expect(judgement.outcome).toBe('fail');
    expect(judgement.summary).toContain('the kernel had panicked ("Kernel panic - not syncing: sysrq triggered crash", 0 s before the save)');
    expect(judgement.advice).toContain('cold boot');
  });

  it('fails when the log has no word of it', () => {
    expect(codes([], { panicCpu: 1 })).toBe('fail, memory.log.panic critical');
  });
});

describe('hung tasks', () => {
  const waiting = (pid: number, seconds: number) => ({ tasks: { threads: 9, waiting: [{ name: 'sync', pid, seconds }] } });

  it.each([
    ['that still waits', [[NOW - 50, HUNG]], waiting(811, 171), 'fail, memory.log.hung-task critical'],
    ['that has run since', [[NOW - 50, HUNG]], waiting(811, 20), 'pass, memory.log.hung-task warning'],
    ['that is gone', [[NOW - 50, HUNG]], waiting(5, 3), 'pass, memory.log.hung-task warning'],
    ['told just now, and tasks cannot be read', [[NOW - 50, HUNG]], { tasks: null }, 'fail, memory.log.hung-task critical'],
    ['told long ago, and tasks cannot be read', [[NOW - 500, HUNG]], { tasks: null }, 'pass, memory.log.hung-task warning'],
    ['told last, and no clock', [[NOW, HUNG]], { tasks: null, logSeconds: null }, 'pass, memory.log.hung-task warning, untested true'],
    [
      'told long before the last message, and no clock',
      [
        [NOW - 500, HUNG],
        [NOW, 'x'],
      ],
      { tasks: null, logSeconds: null },
      'pass, memory.log.hung-task warning',
    ],
  ] as [string, [number, string][], Partial<LinuxState>, string][])('a task %s', (_, messages, more, expected) => {
    expect(codes(messages, more)).toBe(expected);
  });
});

describe('tasks that cannot be woken', () => {
  const waiting = (seconds: number) => ({ tasks: { threads: 9, waiting: [{ name: 'jbd2/vda1-8', pid: 3, seconds }] } });

  it.each([
    ['for a moment', 5, 'pass'],
    ['for a while', 40, 'pass, memory.tasks-waiting info'],
    ['as long as the kernel calls hung', 300, 'pass, memory.tasks-waiting warning'],
  ])('%s are told', (_, seconds, expected) => {
    expect(codes([], waiting(seconds))).toBe(expected);
  });

  it('are told once', () => {
    expect(codes([[NOW - 50, HUNG.replace('811', '3')]], waiting(300))).toBe('fail, memory.log.hung-task critical');
  });
});

describe('lockups', () => {
  it.each([
    ['once, just now: a pause of the machine does that', [[NOW - 10, SOFT]], 'pass, memory.log.soft-lockup warning, untested true'],
    [
      'again and again until now',
      [
        [NOW - 38, SOFT],
        [NOW - 10, SOFT.replace('23s', '51s')],
      ],
      'fail, memory.log.soft-lockup critical',
    ],
    [
      'on every processor once',
      [
        [NOW - 10, SOFT],
        [NOW - 10, SOFT.replace('CPU#1', 'CPU#0')],
      ],
      'pass, memory.log.soft-lockup warning, memory.log.soft-lockup warning, untested true, untested true',
    ],
    [
      'long ago',
      [
        [NOW - 500, SOFT],
        [NOW - 470, SOFT],
      ],
      'pass, memory.log.soft-lockup warning',
    ],
    [
      'of RCU, again and again until now',
      [
        [NOW - 80, 'rcu: INFO: rcu_sched self-detected stall on CPU'],
        [NOW - 17, 'rcu: INFO: rcu_sched self-detected stall on CPU'],
      ],
      'fail, memory.log.rcu-stall critical',
    ],
  ] as [string, [number, string][], string][])('%s', (_, messages, expected) => {
    expect(codes(messages)).toBe(expected);
  });
});

describe('a file system that stopped', () => {
  it.each([
    ['and takes no writes', { mounts: [mount('vda1', { readOnly: true })] }, 'fail, memory.log.fs-stopped critical'],
    [
      'and was aborted',
      { mounts: [mount('vda1', { log: { kind: 'jbd2', committed: 1, committing: null, flushed: false, aborted: true } })] },
      'fail, memory.log.fs-stopped critical',
    ],
    ['and works again', { mounts: [mount('vda1')] }, 'pass, memory.log.fs-stopped warning'],
    ['and is mounted no more', { mounts: [mount('vdb1', { readOnly: true })] }, 'pass, memory.log.fs-stopped warning'],
    ['and mounts cannot be read', { mounts: null }, 'fail, memory.log.fs-stopped critical'],
  ] as [string, Partial<LinuxState>, string][])('%s', (_, more, expected) => {
    expect(codes([[NOW - 100, STOPPED]], more)).toBe(expected);
  });

  it('and was mounted anew, as the log says', () => {
    expect(
      codes(
        [
          [NOW - 100, STOPPED],
          [NOW - 50, 'EXT4-fs (vda1): re-mounted. Opts: (null)'],
        ],
        { mounts: null },
      ),
    ).toBe('pass, memory.log.fs-stopped warning');
  });
});

describe('what need not last', () => {
  it('is told and does not fail', () => {
    const messages: [number, string][] = [
      [NOW - 9, 'I/O error, dev vda, sector 2048 op 0x1:(WRITE) flags 0x800 phys_seg 1 prio class 2'],
      [NOW - 8, 'EXT4-fs error (device vda1): ext4_lookup:1855: inode #2: comm ls: iget: checksum invalid'],
      [NOW - 7, 'Oops: 0002 [#1] PREEMPT SMP PTI'],
      [NOW - 6, 'Out of memory: Killed process 812 (postgres) total-vm:1 kB'],
    ];
    expect(codes(messages)).toBe('pass, memory.log.io-error warning, memory.log.fs-error warning, memory.log.oops warning, memory.log.out-of-memory info');
  });
});

describe('the evidence', () => {
  it('stays small, and counts the rest', () => {
    const messages = Array.from({ length: 5000 }, (_, i): [number, string] => [i, `I/O error, dev vda, sector ${i} op 0x0`]);
    const evidence = evidenceOf(survey(messages));
    expect(evidence.counts['io-error']).toBe(5000);
    expect(JSON.stringify(evidence).length).toBeLessThan(20_000);
    expect(evidence.troubles.at(-1)?.text).toContain('sector 4999');
  });

  it('can be judged, whatever it holds', () => {
    const texts = fc.array(fc.tuple(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.constantFrom(HUNG, SOFT, STOPPED, 'x', 'Kernel panic - not syncing: y')));
    fc.assert(
      fc.property(
        texts,
        fc.boolean(),
        (messages, clock) => void judged(messages as [number, string][], clock ? {} : { logSeconds: null, mounts: null, tasks: null }),
      ),
    );
  });
});

describe('without a log', () => {
  const loose = (texts: string[]) => judgeKernelLog(evidenceOf({ ...survey([]), linux: null, why: 'no Linux kernel was found', texts }));

  it('text in memory is a warning, never proof', () => {
    const judgement = loose(['Kernel panic - not syncing: Fatal exception']);
    expect(judgement).toMatchObject({ outcome: 'pass', findings: [{ code: 'memory.text', severity: 'warning' }], untested: [{ holdsData: true }], tested: [] });
  });

  it('is never a silent pass', () => {
    const judgement = judgeKernelLog(evidenceOf(survey([], { log: null })));
    expect(judgement).toMatchObject({ outcome: 'pass', tested: [], untested: [{ why: expect.stringContaining('6.1.0'), holdsData: false }] });
  });

  it('text is not looked at where there is a log', () => {
    expect(evidenceOf({ ...survey([]), texts: ['Kernel panic - not syncing: of another boot'] }).loose).toEqual([]);
  });
});
