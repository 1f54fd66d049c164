import { describe, expect, it } from 'vitest';
import { LabError, NotTestedError } from '../../../src/errors.js';
import type { EngineUse } from '../../../src/labs/lab.js';
import { parseEngineRun } from '../engine/parse.js';
import type { ToLoad } from '../engine/what-to-load.js';
import check, { evaluateRecovery, tried } from './index.js';

const RDB: ToLoad = { kind: 'rdb', file: 'dump.rdb' };
const AOF: ToLoad = { kind: 'aof', folder: 'appendonlydir', file: 'appendonly.aof', loadTruncated: true };
const use = (engine: EngineUse['engine']): EngineUse => ({ engine, how: `the ${engine}'s Redis`, why: 'Why.', copiedBytes: 5 });
const UP =
  '@@ up\n@@ stopped\n@@ databases 2\nkeys: db0:keys=601,expires=300,avg_ttl=9999\nkeys: db3:keys=1,expires=0,avg_ttl=0\ninfo: aof_current_size:9432\n';
const said = (up: boolean, lines: string[], load: ToLoad = RDB, more: { engine?: EngineUse['engine']; warning?: string; marks?: string } = {}) =>
  parseEngineRun(
    `@@ start-ns 2000000000\n${up ? UP : ''}${more.marks ?? ''}${lines.map((line) => `log: 12:M 22 Nov 2026 19:58:14.332 ${line}\n`).join('')}`,
    load,
    {
      use: use(more.engine ?? 'guest'),
      warning: more.warning ?? null,
    },
  );
const LOADED = ['* Done loading RDB, keys loaded: 602, keys expired: 4.', '* DB loaded from append only file: 0.250 seconds'];
const TAIL = ['# !!! Warning: short read while loading the AOF file a.1.incr.aof!!!', '# !!! Truncating the AOF a.1.incr.aof at offset 23 !!!'];

describe(check.id, () => {
  it('passes with what it loaded, how long that took, and whose engine it was', () => {
    const log = evaluateRecovery(tried(said(true, LOADED, AOF)));
    expect(log).toMatchObject({ outcome: 'pass', instanceState: 'recoverable', recovery: { needed: true, seconds: 0.25, bytes: 9432 } });
    expect(log.summary).toMatch(/602 keys \(601 in database 0, 1 in database 3\); 4 keys had expired/);
    expect(log.findings).toMatchObject([{ code: 'redis.recovery.engine', where: { engine: 'guest' } }]);
    expect(evaluateRecovery(said(true, [], RDB))).toMatchObject({ outcome: 'pass', instanceState: 'clean', recovery: { needed: false, bytes: 0 } });
  });

  it('tells a tail that the server cut off, and passes', () => {
    const judged = evaluateRecovery(tried(said(true, [...TAIL, ...LOADED], AOF)));
    expect(judged).toMatchObject({ outcome: 'pass', instanceState: 'lost-tail' });
    expect(judged.findings[1]).toMatchObject({ code: 'redis.recovery.tail', severity: 'warning', message: expect.stringContaining('offset 23') });
  });

  it('fails a tail that the settings forbid to cut off, without calling it damage', () => {
    const line = '# Unexpected end of file reading the append only file a.1.incr.aof. You can: 1) Make a backup of your AOF file';
    expect(evaluateRecovery(tried(said(false, [line], AOF)))).toMatchObject({ outcome: 'fail', instanceState: 'lost-tail' });
  });

  it.each([
    '# Wrong RDB checksum expected: (1) but got (2). Aborting now.',
    '# Internal error in RDB reading offset 0, function at rdb.c:3249 -> Unexpected EOF reading RDB file',
    '# Bad file format reading the append only file a.incr.aof: make a backup of your AOF file',
    '# Fatal error loading the DB, check server logs. Exiting.',
  ])('fails for %s', (line) => {
    expect(evaluateRecovery(tried(said(false, [line])))).toMatchObject({ outcome: 'fail', instanceState: 'damaged', advice: expect.stringMatching(/\S/) });
  });

  it('fails a server that does not start for a reason nobody knows, or for none', () => {
    expect(evaluateRecovery(tried(said(false, ['# Something new'])))).toMatchObject({ outcome: 'fail', summary: expect.stringContaining('Something new') });
    expect(evaluateRecovery(tried(said(false, [], RDB, { marks: '@@ exit 1\n' }))).summary).toContain('exit code 1');
  });

  it.each([
    "# Can't handle RDB format version 12",
    "# The RDB file contains AUX module data I can't load: no matching module 'bf'",
    "# Unknown command 'BF.ADD' reading the append only file a.incr.aof",
    '# FATAL: Data file was created with a Redis server configured to handle more than 4096 databases. Exiting',
  ])('does not blame the data for what does not fit here: %s', (line) => {
    expect(() => tried(said(false, [line]))).toThrow(LabError);
    expect(() => tried(said(false, [line], RDB, { engine: 'host' }))).toThrow(NotTestedError);
  });

  it('does not blame the data for a lack of memory or of time', () => {
    expect(() => tried(said(false, [], RDB, { marks: '@@ exit 137\n' }))).toThrow(/memory/);
    expect(() => tried(said(false, [], RDB, { marks: '@@ slow\n' }))).toThrow(/time was up/);
    const starved = [
      '# rdbGenericLoadStringObject failed allocating 5000 bytes',
      '# Internal error in RDB reading offset 0 -> Unexpected EOF reading RDB file',
    ];
    expect(() => tried(said(false, starved))).toThrow(/failed allocating/);
  });

  it('tells what redis-check says, and lets it decide nothing', () => {
    const complains = said(true, LOADED, AOF, { marks: '@@ tool aof\ntool: AOF a.aof is not valid. Use the --fix option to try fixing it.\n' });
    expect(complains.tool?.says).toBe('complains');
    expect(evaluateRecovery(complains)).toMatchObject({ outcome: 'pass', findings: [{}, { code: 'redis.recovery.tool', severity: 'info' }] });
    const sound = said(true, LOADED, RDB, { marks: '@@ tool rdb\ntool: [offset 9382] \\o/ RDB looks OK! \\o/\n' });
    expect(evaluateRecovery(sound).findings[1]?.message).toContain('finds the files sound');
  });

  it('warns where the settings ask for a log that is not there', () => {
    expect(evaluateRecovery(said(true, [], RDB, { warning: 'It starts empty.' })).findings[1]).toMatchObject({
      severity: 'warning',
      message: 'It starts empty.',
    });
  });
});
