import { describe, expect, it } from 'vitest';
import { type EngineRun, parseEngineRun } from '../engine/parse.js';
import { kindOf } from '../engine/server-log.js';
import check, { evaluateRecovery, tried } from './index.js';

const up = '@@ version postgres (PostgreSQL) 15\n@@ started 0\n@@ start-ns 1000000000\n@@ role\n@@ databases 2\n@@ stopped 0\n';
const down = '@@ version postgres (PostgreSQL) 15\n@@ started 1\n@@ stopped 1\n';
const said = (head: string, ...lines: string[]): EngineRun => parseEngineRun(`${head}${lines.map((line) => `log: ${line}\n`).join('')}`);

/** Lines as PostgreSQL 15 prints them with log_error_verbosity=verbose, and what they are about. */
const LINES: [string, string][] = [
  ['PANIC:  XX000: could not locate a valid checkpoint record', 'damage'],
  ['PANIC:  58P01: could not open file "pg_xact/0000": No such file or directory', 'damage'],
  ['FATAL:  XX001: invalid page in block 0 of relation base/5/1259', 'damage'],
  ["FATAL:  XX000: requested timeline 3 is not a child of this server's history", 'damage'],
  ['FATAL:  58P01: could not open file "base/5/PG_VERSION": No such file or directory', 'damage'],
  ['FATAL:  XX001: relation mapping file "base/5/pg_filenode.map" contains incorrect checksum', 'damage'],
  ['WARNING:  XX001: page verification failed, calculated checksum 33554 but expected 40120', 'damage'],
  ['LOG:  00000: startup process (PID 97) was terminated by signal 11: Segmentation fault', 'damage'],
  ['PANIC:  53100: could not write to file "pg_wal/xlogtemp.97": No space left on device', 'place'],
  ['FATAL:  XX000: could not map anonymous shared memory: Cannot allocate memory', 'place'],
  ['FATAL:  55000: logical replication slot "s" exists, but wal_level < logical', 'place'],
  ['FATAL:  22023: "min_wal_size" must be at least twice "wal_segment_size"', 'place'],
  ['FATAL:  XX000: database files are incompatible with server', 'place'],
  ['ERROR:  58P01: could not access file "$libdir/postgis-3": No such file or directory', 'place'],
  ['FATAL:  XX000: resource manager with ID 128 not registered', 'place'],
  ['FATAL:  22023: database locale is incompatible with operating system', 'place'],
  ['FATAL:  58P01: could not load server certificate file "server.crt": No such file or directory', 'place'],
  ['FATAL:  42501: could not open file "base/5/PG_VERSION": Permission denied', 'place'],
  ['LOG:  00000: startup process (PID 97) was terminated by signal 9: Killed', 'place'],
  ['LOG:  00000: startup process (PID 97) was terminated by signal 4: Illegal instruction', 'place'],
  ['/usr/lib/postgresql/15/bin/postgres: error while loading shared libraries: libicuuc.so.72: cannot open shared object file', 'place'],
  ['FATAL:  28000: role "postgres" does not exist', 'noise'],
  ['FATAL:  3D000: database "template1" does not exist', 'noise'],
  ['FATAL:  57P01: terminating connection due to administrator command', 'noise'],
  ['LOG:  00000: invalid record length at 0/47ED040: wanted 24, got 0', 'noise'],
  ['WARNING:  01000: database "app" has a collation version mismatch', 'noise'],
];

describe('a line of the log', () => {
  it.each(LINES)('%s is %s', (line, kind) => {
    expect(kindOf(line)).toBe(kind);
  });
});

describe(check.id, () => {
  const damage = LINES.filter(([, kind]) => kind === 'damage').map(([line]) => line);
  const others = LINES.filter(([, kind]) => kind !== 'damage').map(([line]) => line);
  const places = LINES.filter(([, kind]) => kind === 'place').map(([line]) => line);

  it.each(damage)('fails, up or down: %s', (line) => {
    for (const head of [up, down]) {
      const judgement = evaluateRecovery(tried(said(head, line)));
      expect(judgement).toMatchObject({ outcome: 'fail', summary: expect.stringContaining(line) });
      expect(judgement.advice).toBeTruthy();
    }
  });

  it.each(others)('passes when the server answers: %s', (line) => {
    expect(evaluateRecovery(tried(said(up, line)))).toMatchObject({ outcome: 'pass', findings: [] });
  });

  it.each(places)('is neither pass nor failure when the server does not start: %s', (line) => {
    expect(() => tried(said(down, line))).toThrow(/could not be tried here/);
  });

  it('fails a server that does not start for a reason nobody knows, or for none', () => {
    expect(evaluateRecovery(tried(said(down, 'FATAL:  99999: something new')))).toMatchObject({ outcome: 'fail' });
    expect(evaluateRecovery(tried(said(down)))).toMatchObject({ outcome: 'fail', summary: expect.stringContaining('its log says nothing') });
  });

  it('does not take a slow start for damage', () => {
    const slow = parseEngineRun(`${down}start: pg_ctl: server did not start in time\n`);
    expect(() => tried(slow)).toThrow(/when the time was up/);
  });

  it('sees a PANIC that comes after the first session', () => {
    const late = parseEngineRun(`${up}late: PANIC:  58P01: could not open file "pg_xact/0003": No such file or directory\n`);
    expect(evaluateRecovery(late).outcome).toBe('fail');
  });

  it('warns of a server that does not stop', () => {
    const run = parseEngineRun(up.replace('stopped 0', 'stopped 1'));
    expect(evaluateRecovery(run)).toMatchObject({ outcome: 'pass', findings: [{ code: 'postgresql.recovery.stop', severity: 'warning' }] });
  });

  it('measures only a recovery that took place', () => {
    expect(evaluateRecovery(said(up)).recovery).toEqual({ needed: false, seconds: 0, bytes: 0 });
    expect(evaluateRecovery(said(up, 'LOG:  00000: redo starts at 0/47DC4B0')).recovery).toEqual({ needed: true, seconds: 1, bytes: 0 });
  });

  it('says what the cluster is', () => {
    expect(evaluateRecovery(said(up)).instanceState).toBe('clean');
    expect(evaluateRecovery(said(up, 'LOG:  00000: redo starts at 0/47DC4B0')).instanceState).toBe('recoverable');
    expect(evaluateRecovery(said(down, 'PANIC:  XX000: could not locate a valid checkpoint record')).instanceState).toBe('damaged');
  });
});
