import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluateAmcheck } from '../amcheck/index.js';
import { evaluateRecovery, tried } from '../recovery/index.js';
import { parseEngineRun } from './parse.js';
import { engineScript } from './script.js';

/** As PostgreSQL 15 on Debian 12 prints it. */
const OUTPUT = `@@ version postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)
@@ started 0
@@ start-ns 4500000000
@@ role
@@ databases 2
@@ closed 0
@@ amcheck 0
@@ amcheck-ns 2000000000
@@ amcheck-lines 0
@@ stopped 0
log: LOG:  00000: redo starts at 0/47DC4B0
log: LOG:  00000: redo done at 0/47ED010 system usage: CPU: user: 0.00 s, system: 0.00 s, elapsed: 0.00 s
log: FATAL:  28000: role "postgres" does not exist
start: waiting for server to start.... done
start: server started
`;

describe('the answer of the engine', () => {
  it('is read as plain facts', () => {
    expect(parseEngineRun(OUTPUT)).toEqual({
      ...{ engine: 'postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)', startCode: 0, startSeconds: 4.5, answered: true, databases: 2, closedDatabases: 0 },
      ...{ stopCode: 0, redoStart: '0/47DC4B0', redoEnd: '0/47ED010', errors: [], lateErrors: [], problem: null, use: null, answers: {} },
      startSaid: ['waiting for server to start.... done', 'server started'],
      amcheck: { code: 0, seconds: 2, lineCount: 0, lines: [], closedDatabases: 0, recovered: true, foreignOrder: false },
    });
  });

  it('keeps the first of two marks, and no number that is none', () => {
    const run = parseEngineRun(`@@ started 1\n@@ started 0\n@@ databases 9e9\n@@ stopped ${'9'.repeat(400)}\n`);
    expect(run).toMatchObject({ startCode: 1, databases: null, stopCode: null, answered: false });
  });

  it('keeps a line about data although thousands of others come first', () => {
    const noise = Array.from({ length: 3000 }, (_, i) => `log: FATAL:  99999: something else ${i}`).join('\n');
    expect(parseEngineRun(`${noise}\nlog: PANIC:  XX000: could not locate a valid checkpoint record`).errors).toHaveLength(20);
    expect(parseEngineRun(`${noise}\nlog: PANIC:  XX000: could not locate a valid checkpoint record`).errors[0]).toContain('PANIC');
  });

  it('never throws and stays small, whatever a program of the guest prints', () => {
    const word = fc.constantFrom(
      '@@ ',
      'started',
      'role',
      'amcheck',
      'amcheck: ',
      'log: ',
      'late: ',
      'start: ',
      ' 0',
      ' 2',
      '\n',
      'FATAL:  XX001: ',
      'PANIC',
      '\u0000',
    );
    const text = fc.array(fc.oneof(word, fc.string({ unit: 'binary' })), { maxLength: 200 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (stdout) => {
        const run = parseEngineRun(stdout);
        expect(JSON.stringify(run).length).toBeLessThan(400_000);
        expect(['pass', 'fail']).toContain(evaluateRecovery(run).outcome);
        if (run.amcheck) expect(['pass', 'fail']).toContain(evaluateAmcheck(run.amcheck).outcome);
        // What did not answer never passes.
        if (!run.answered) expect(evaluateRecovery(run).outcome).toBe('fail');
      }),
    );
  });

  it('is no failure of the data when nothing was said at all', () => {
    expect(() => tried(parseEngineRun('@@ started 0\n'))).toThrow(/no role was found/);
  });
});

describe('the script', () => {
  const scene = { parts: {}, runFolder: '/run/snapproof', identity: 'root' as const };

  it('quotes the folders of the guest', () => {
    const script = engineScript({ ...scene, binaries: '/usr/bin', dataFolder: "/a'; reboot #" }, { startTimeoutMs: 1500, amcheckTimeoutMs: 0 });
    expect(script).toContain("D='/a'\\''; reboot #'");
    expect(script).toContain('-w -t 2 ');
  });

  it('becomes the owner of the data only where it is root', () => {
    const script = (identity: 'root' | 'owner') =>
      engineScript({ ...scene, binaries: '/b', dataFolder: '/d', identity }, { startTimeoutMs: 1, amcheckTimeoutMs: 1 });
    expect(script('root')).toContain('chroot --userspec');
    expect(script('owner')).not.toMatch(/chroot|chown/);
  });

  it('passes no setting that PostgreSQL 11 does not know', () => {
    const script = engineScript({ ...scene, binaries: '/b', dataFolder: '/d' }, { startTimeoutMs: 1, amcheckTimeoutMs: 1 });
    expect(script).not.toMatch(/restore_command|primary_conninfo|ignore_invalid_pages/);
  });
});
