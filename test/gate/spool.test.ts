import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { enqueueCommand } from '../../src/commands/enqueue.js';
import { parseEntry } from '../../src/gate/spool/entry.js';
import { Spool } from '../../src/gate/spool/index.js';
import { capture } from '../commands/streams.js';
import { valid } from './schemas.js';

let state: string;
let spool: Spool;
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'snapproof-queue-'));
  spool = new Spool(state);
});
afterEach(() => rm(state, { recursive: true }));

const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 27, 12, minute));
const waiting = async (): Promise<string[]> => (await spool.list()).entries.filter((entry) => entry.state === 'waiting').map(({ path }) => path);

describe('the queue', () => {
  it('keeps each path once, the oldest first', async () => {
    expect(await spool.add('/b/new', 'test', at(2))).toBe(true);
    expect(await spool.add('/b/old', 'test', at(1))).toBe(true);
    expect(await spool.add('/b/new', 'again', at(3))).toBe(false);
    expect((await spool.list()).entries).toMatchObject([
      { path: '/b/old', by: 'test', state: 'waiting' },
      { path: '/b/new', by: 'test', enqueuedAt: at(2).toISOString() },
    ]);
    expect((await readdir(spool.folder)).filter((name) => name.startsWith('.'))).toEqual([]);
  });
  it('gives each entry to one taker only', async () => {
    for (let n = 0; n < 8; n++) await spool.add(`/b/${n}`, 'test', at(n));
    const takers = [new Spool(state), new Spool(state), new Spool(state)];
    const taken = (await Promise.all(Array.from({ length: 12 }, (_, n) => takers[n % 3]?.take()))).flatMap((entry) => entry ?? []);
    const paths = taken.map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);
    for (let more = await spool.take(); more; more = await spool.take()) paths.push(more.path);
    expect(paths.sort()).toEqual(Array.from({ length: 8 }, (_, n) => `/b/${n}`));
    expect(await waiting()).toEqual([]);
  });
  it('takes a path that came again while it was worked on for a second time', async () => {
    await spool.add('/b/1', 'test');
    const first = await spool.take();
    expect(await spool.add('/b/1', 'test')).toBe(true);
    await first?.done();
    expect(await waiting()).toEqual(['/b/1']);
  });
  it('puts back, without a trace of an entry that came meanwhile', async () => {
    await spool.add('/b/1', 'first');
    const taken = await spool.take();
    await spool.add('/b/1', 'second');
    await taken?.putBack();
    expect((await spool.list()).entries).toMatchObject([{ path: '/b/1', by: 'second', state: 'waiting' }]);
  });
  it('gets back what a process had taken that lives no more', async () => {
    await spool.add('/b/1', 'test');
    await spool.take();
    const [name = ''] = await readdir(spool.folder);
    const { rename } = await import('node:fs/promises');
    await rename(join(spool.folder, name), join(spool.folder, name.replace(/taken-\d+-/, 'taken-999999999-')));
    expect((await spool.take())?.path).toBe('/b/1');
    expect(await spool.take()).toBeNull();
  });
  it('tells of files that are no entries, and leaves them alone', async () => {
    await spool.add('/b/1', 'test');
    await writeFile(join(spool.folder, `${'a'.repeat(32)}.json`), '{"schema":"snapproof.queue-entry/v1","path":"relative"}');
    await writeFile(join(spool.folder, 'notes.txt'), 'mine');
    const { entries, unreadable } = await spool.list();
    expect([entries.length, unreadable.length]).toEqual([1, 1]);
    expect(await readdir(spool.folder)).toHaveLength(3);
  });
  it('parses any text without throwing', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => typeof parseEntry(text, 'x') === 'string'));
  });
});

describe('enqueue', () => {
  it('puts real paths in, lists them and takes them out', async () => {
    const { streams, out, err } = capture();
    expect(await enqueueCommand({ paths: [state], by: 'vzdump', state }, streams)).toBe(0);
    expect(err()).toContain('waits for its verification');
    expect(await enqueueCommand({ paths: [], list: true, json: true, state }, streams)).toBe(0);
    expect(valid('queue', out())).toMatchObject({ schema: 'snapproof.queue/v1', entries: [{ path: state, by: 'vzdump', state: 'waiting' }], unreadable: [] });
    await enqueueCommand({ paths: [state], remove: true, state }, streams);
    expect(await waiting()).toEqual([]);
  });
  it('refuses a path at which there is nothing, and takes none of the others', async () => {
    const { streams } = capture();
    await expect(enqueueCommand({ paths: [state, join(state, 'gone')], state }, streams)).rejects.toMatchObject({ exitCode: 2 });
    expect(await waiting()).toEqual([]);
  });
});
