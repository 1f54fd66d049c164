import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { complete, evaluateCheck } from '../check-table/index.js';
import { complaints, evaluateRecovery } from '../recovery/index.js';
import { mariadbEngine, seriesOf } from './description.js';
import { parseEngineRun } from './parse.js';
import { engineScript } from './script.js';
import { kindOf } from './server-log.js';

/** As MariaDB 10.11 on Debian 12 prints it. */
const OUTPUT = `@@ version mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)
@@ start-ns 1500000000
@@ up
@@ tables 36
@@ check 0
@@ check-ns 500000000
@@ sound 35
check: load_test.plain	check	warning	1 client is using or hasn't closed the table properly
check: a\\tb.c	check	error	Corrupt
@@ stopped
log: 2026-11-22 17:42:34 0 [Note] InnoDB: Starting crash recovery from checkpoint LSN=30764532
log: 2026-11-22 17:42:34 0 [Note] InnoDB: End of log at LSN=30842867
`;

/** Lines as MariaDB prints them, and what they are about. */
const LINES: [string, string][] = [
  ['[ERROR] InnoDB: Page [page id: space=5, page number=7] log sequence number 30842867 is in the future!', 'skew'],
  ['[ERROR] InnoDB: Not applying INSERT_HEAP_DYNAMIC due to corruption on [page id: space=5, page number=7]', 'skew'],
  ['[ERROR] InnoDB: Database page corruption on disk or a failed read of file load_test/a.ibd', 'damage'],
  ['[ERROR] InnoDB: File ib_logfile0 was not found', 'damage'],
  ['261122 17:42:33 [ERROR] mysqld got signal 6 ;', 'damage'],
  ['[ERROR] mariadbd: Aria recovery failed. Please run aria_chk -r on all Aria tables', 'damage'],
  ['[ERROR] InnoDB: Clustered record for sec rec not found index `balance` of table `load_test`.`accounts`', 'noise'],
  ['[ERROR] Missing system table mysql.roles_mapping; please run mysql_upgrade to create it', 'noise'],
  ["[ERROR] mariadbd: Table './load_test/plain' is marked as crashed and should be repaired", 'noise'],
  ['[ERROR] Aborting', 'noise'],
  ['[ERROR] InnoDB: Unable to lock ./ibdata1 error: 11', 'place'],
  ["[ERROR] mariadbd: Can't create file '/tmp/x' (errno: 28 \"No space left on device\")", 'place'],
  ['[ERROR] InnoDB: Tablespace is encrypted, but the key_management plugin is not loaded', 'place'],
  ["[ERROR] /usr/sbin/mariadbd: unknown variable 'x=y'", 'place'],
  ['[ERROR] Something new', 'other'],
];

describe('the answer of the engine', () => {
  it.each(LINES)('%s is %s', (line, kind) => {
    expect(kindOf(line)).toBe(kind);
  });

  it('is read as plain facts', () => {
    expect(parseEngineRun(OUTPUT)).toMatchObject({
      ...{ up: true, startSeconds: 1.5, stopped: true, prepared: false, recovery: { from: '30764532', to: '30842867' }, errors: [], lateErrors: [] },
      check: {
        tables: 36,
        sound: 35,
        timedOut: false,
        lines: [
          { table: 'load_test.plain', type: 'warning' },
          { table: 'a\\tb.c', type: 'error', text: 'Corrupt' },
        ],
      },
    });
  });

  it('never throws and stays small, whatever a program of the guest prints', () => {
    const word = fc.constantFrom(
      '@@ ',
      'up',
      'check',
      'check: ',
      'log: ',
      'late: ',
      ' 0',
      '\n',
      '\t',
      '[ERROR] ',
      'corrupt',
      '\u0000',
      'tables 3',
      'sound 9e9',
    );
    const text = fc.array(fc.oneof(word, fc.string({ unit: 'binary' })), { maxLength: 200 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, (stdout) => {
        const run = parseEngineRun(stdout);
        expect(JSON.stringify(run).length).toBeLessThan(500_000);
        expect(['pass', 'fail']).toContain(evaluateRecovery(run).outcome);
        if (!run.up) expect(evaluateRecovery(run).outcome).toBe('fail');
        if (run.check) expect(['pass', 'fail']).toContain(evaluateCheck({ ...run.check, recovered: false, complaints: complaints(run) }).outcome);
      }),
    );
  });

  it('that was cut short is no answer', () => {
    const check = {
      seconds: 1,
      timedOut: false,
      tables: 3,
      sound: 2,
      lines: [],
      clientSaid: ['ERROR 2013 (HY000): Lost connection'],
      recovered: false,
      complaints: [],
    };
    expect(() => complete(check)).toThrow(/Lost connection/);
    expect(() => complete({ ...check, tables: null })).toThrow();
    expect(() => complete({ ...check, sound: 0, timedOut: true })).toThrow(/in time/);
    expect(complete({ ...check, sound: 3 })).toBeTruthy();
    expect(complete({ ...check, complaints: ['InnoDB: corrupt'] })).toBeTruthy();
  });
});

describe('the engine', () => {
  const instance = { id: 'i', engine: 'innodb', version: '10.11.6-MariaDB', location: { volume: 'v', path: '/' }, links: [], facts: { pageBytes: 4096 } };
  const description = mariadbEngine(instance, { startTimeoutMs: 1000, checkTimeoutMs: 0 });
  const scene = { binaries: '/usr/sbin', runFolder: '/tmp/r', identity: 'owner' as const };

  it('is one of the same series', () => {
    expect(seriesOf({ version: '10.11.6-MariaDB' })).toBe('10.11');
    expect(seriesOf({ version: null })).toBeNull();
    expect(description.fits('mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu')).toBe(true);
    expect(description.fits('mariadbd  Ver 10.6.19-MariaDB')).toBe(false);
    expect(description.fits('mysqld  Ver 10.11.1 for Linux (MySQL Community)')).toBe(false);
    expect(mariadbEngine({ ...instance, version: null }, { startTimeoutMs: 1, checkTimeoutMs: 1 }).fits('mariadbd  Ver 10.11.19-MariaDB')).toBe(false);
  });

  it('gets no settings of the guest, never force-recovery, and every folder quoted', () => {
    const parts = { innodb_log_group_home_dir: "/a'; reboot #" };
    const script = engineScript({ ...scene, dataFolder: "/d'x", parts }, { startTimeoutMs: 1000, checkTimeoutMs: 1000, pageBytes: 4096 });
    expect(script).not.toContain('force-recovery');
    for (const option of ['--no-defaults', '--skip-networking', '--skip-slave-start', '--event-scheduler=OFF', '--skip-log-bin', '--innodb-page-size=4096'])
      expect(script).toContain(option);
    expect(script).toContain("'--innodb-log-group-home-dir=/a'\\''; reboot #'");
    expect(script).toContain("D='/d'\\''x'");
    expect(script).not.toMatch(/chroot|chown/);
  });

  it('leaves the binary log and what people read out of a copy', () => {
    for (const path of ['mysql-bin.000001', 'relay-bin.index', 'host.err', 'host.pid']) expect([path, description.leaveOut(path)]).toEqual([path, true]);
    for (const path of ['ibdata1', 'ib_logfile0', 'aria_log_control', 'aria_log.00000001', 'shop/a-bin.ibd', 'tc.log'])
      expect([path, description.leaveOut(path)]).toEqual([path, false]);
  });
});
