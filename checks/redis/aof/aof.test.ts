import { mkdirSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/bytes/source.js';
import { FormatError } from '../../../src/errors.js';
import { judgeFolder } from '../../testing/judge.js';
import { writeFiles } from '../../testing/write-files.js';
import { parseConfig } from '../config.js';
import { redisFinder } from '../finder.js';
import { walkAof } from '../format/aof.js';
import { parseManifest } from '../format/manifest.js';
import { resp } from '../testing/load.js';
import aof from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'snapproof-aof-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const signal = new AbortController().signal;
let folders = 0;

const COMMANDS = Buffer.concat([
  resp('SELECT', 0),
  resp('SET', 'a', 'x'.repeat(300)),
  Buffer.from('#TS:1700000000\r\n'),
  resp('MULTI'),
  resp('INCR', 'n'),
  resp('EXEC'),
]);
const MANIFEST = 'file a.aof.1.base.aof seq 1 type b\nfile a.aof.1.incr.aof seq 1 type i\nfile "a.aof.2.incr.aof" seq 2 type i\nfile gone seq 9 type h\n';
const PARTS = ['a.aof.1.base.aof', 'a.aof.1.incr.aof', 'a.aof.2.incr.aof'];

async function judgeFiles(files: Record<string, Buffer | string>, remove: string[] = []) {
  const home = join(folder, `data${folders++}`);
  const all: Record<string, Buffer | string> = {
    'parts/a.aof.manifest': MANIFEST,
    ...Object.fromEntries(PARTS.map((name) => [`parts/${name}`, COMMANDS])),
    ...files,
  };
  writeFiles(home, all);
  for (const name of remove) unlinkSync(join(home, name));
  return judgeFolder(home, redisFinder, [aof]);
}

describe('an append-only file of several parts', () => {
  it('is followed through all of them', async () => {
    const judged = await judgeFiles({ 'parts/temp-rewriteaof-1.aof': 'unfinished', 'parts/a.aof.7.incr.aof': 'left over' });
    expect(judged).toMatchObject({ failed: false, codes: [], states: ['recoverable'] });
    expect(judged.instances[0]).toMatchObject({ location: { path: '/' }, facts: { appendOnlyFolder: '/parts' } });
    expect(judged.judgements['redis/aof']?.summary).toContain('15 commands in 3 files');
  });

  it('may end anywhere in the last one', async () => {
    for (let length = 0; length < COMMANDS.length; length++) {
      const judged = await judgeFiles({ [`parts/${PARTS[2]}`]: COMMANDS.subarray(0, length) });
      expect([length, judged.failed, judged.codes.filter((code) => code !== 'redis.aof.tail')]).toEqual([length, false, []]);
    }
  });

  it('may end nowhere before', async () => {
    for (let length = 1; length < COMMANDS.length; length += 7) {
      const whole = (await walkAof(new BufferSource(COMMANDS.subarray(0, length)), signal)).end === 'whole';
      const judged = await judgeFiles({ [`parts/${PARTS[1]}`]: COMMANDS.subarray(0, length) });
      expect([length, judged.codes]).toEqual([length, whole ? [] : ['redis.aof.hole']]);
    }
  });

  it('needs every file that its manifest names, but for history', async () => {
    expect(await judgeFiles({}, [`parts/${PARTS[1]}`])).toMatchObject({ failed: true, codes: ['redis.aof.missing'], states: ['non-atomic'] });
  });

  it('is lost without its manifest, though every part of it is there', async () => {
    const named = Object.fromEntries(['1.base.aof', '1.incr.aof', '2.incr.aof'].map((name) => [`appendonlydir/appendonly.aof.${name}`, COMMANDS]));
    const rest = ['parts/a.aof.manifest', ...PARTS.map((name) => `parts/${name}`)];
    expect(await judgeFiles(named, rest)).toMatchObject({ failed: true, codes: ['redis.aof.no-manifest'], states: ['damaged'] });
  });

  it('may have no manifest yet when the server is just making it', async () => {
    const rest = ['parts/a.aof.manifest', ...PARTS.map((name) => `parts/${name}`)];
    const first = { 'appendonlydir/appendonly.aof.1.base.rdb': COMMANDS, 'appendonlydir/appendonly.aof.1.incr.aof': '' };
    expect(await judgeFiles(first, rest)).toMatchObject({ failed: false, codes: ['redis.aof.no-manifest'] });
    const making = { 'appendonlydir/appendonly.aof.1.incr.aof': COMMANDS, 'appendonlydir/temp-appendonly.aof.manifest': '' };
    expect(await judgeFiles(making, rest)).toMatchObject({ failed: false, codes: ['redis.aof.no-manifest'] });
    const unused = { 'appendonlydir/appendonly.aof.1.incr.aof': COMMANDS, 'redis.conf': 'dir "/"\nappendonly no\n' };
    expect(await judgeFiles(unused, rest)).toMatchObject({ failed: false, codes: ['redis.aof.no-manifest'] });
  });

  it('is refused with zeroes at its end, or within', async () => {
    expect((await judgeFiles({ [`parts/${PARTS[2]}`]: Buffer.concat([COMMANDS, Buffer.alloc(100)]) })).codes).toEqual(['redis.aof.zero-tail']);
    const holed = Buffer.from(COMMANDS).fill(0, 20, 60);
    expect(await judgeFiles({ [`parts/${PARTS[2]}`]: holed })).toMatchObject({ failed: true, codes: ['redis.aof.structure'], states: ['damaged'] });
  });

  it('fails by its settings where the server would refuse the end', async () => {
    const judged = await judgeFiles({ [`parts/${PARTS[2]}`]: COMMANDS.subarray(0, -3), 'redis.conf': 'dir "/"\naof-load-truncated no\n' });
    expect(judged).toMatchObject({ failed: true, codes: ['redis.aof.tail'], states: ['lost-tail'] });
  });
});

it('takes the single file of older servers', async () => {
  const home = join(folder, 'old');
  mkdirSync(home);
  writeFileSync(join(home, 'appendonly.aof'), COMMANDS);
  expect(await judgeFolder(home, redisFinder, [aof])).toMatchObject({ failed: false, states: ['recoverable'] });
  writeFileSync(join(home, 'appendonly.aof'), COMMANDS.subarray(3));
  expect(await judgeFolder(home, redisFinder, [aof])).toMatchObject({ failed: true, states: ['damaged'] });
});

describe('manifests', () => {
  it.each([
    ['', 'empty'],
    ['file a seq 1 type b', 'does not end'],
    ['file a seq 1 type b\nfile b seq 2 type b\n', 'two base'],
    ['file a seq 2 type i\nfile b seq 1 type i\n', 'follows'],
    ['file ../a seq 1 type b\n', 'path'],
    ['file a seq x type b\n', 'cannot be read'],
    ['\0\0\0\0\n', 'cannot be read'],
  ])('%j is refused', (text, why) => expect(() => parseManifest(text)).toThrow(why));

  it('keep names with spaces', () => expect(parseManifest('file "a \\"b\\x20c" seq 1 type b startoffset 3\n')[0]?.name).toBe('a "b c'));
});

it('survives hostile bytes', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(COMMANDS.length - 1), fc.uint8Array({ maxLength: 50 }), fc.string(), async (at, data, text) => {
      const bytes = Buffer.from(COMMANDS);
      Buffer.from(data).copy(bytes, at);
      const facts = await walkAof(new BufferSource(bytes), signal);
      expect(facts.goodUntil).toBeLessThanOrEqual(bytes.length);
      parseConfig(text);
      for (const hostile of [text, `file ${text} seq 1 type b\n`]) {
        try {
          parseManifest(hostile);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }
    }),
    { numRuns: 1000 },
  );
});
