import { execFile } from 'node:child_process';
import { chmod, mkdir, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { type RetainArguments, retainCommand } from '../../src/commands/retain.js';
import type { Applied } from '../../src/gate/retain/apply.js';
import type { RetainPoint } from '../../src/gate/retain/plan.js';
import { capture } from '../commands/streams.js';
import { qcow2Bytes } from '../images/qcow2-bytes.js';
import { sampleSignOff } from '../ledger/documents.js';
import { valid } from './schemas.js';
import { makeWorld, type RecordChanges, recordOf, type World } from './world.js';

const run = promisify(execFile);
/** Files are made now, so the clock of these tests is the real one. */
const SOON = new Date(Date.now() + 60_000);
const FAILED = { verdict: { verdict: 'failed' as const } };
const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();

let world: World;
let backups: string;
beforeEach(async () => {
  world = await makeWorld(new Date());
  backups = join(world.folder, 'backups');
});

interface Planned extends RetainPoint {
  goes: boolean;
  why: string[];
}

async function retain(args: Partial<RetainArguments> = {}): Promise<{ code: number; going: string[]; points: Planned[]; applied: Applied | null }> {
  const { streams, out } = capture();
  const code = await retainCommand({ paths: [backups], state: world.state, keepLast: 1, json: true, now: () => SOON, ...args }, streams);
  const { points, applied } = valid<{ points: Planned[]; applied: Applied | null }>('retain', out());
  const names = (some: Planned[]) => some.map(({ path }) => path.slice(backups.length + 1)).sort();
  return { code, going: names(points.filter(({ goes }) => goes)), points, applied };
}

async function verified(name: string, days: number, changes: RecordChanges = {}, machine = 'db1'): Promise<string> {
  const path = await world.point(name, { machine, takenAt: daysAgo(days) });
  world.append(await recordOf(path, { startedAt: new Date(Date.now() + 1000).toISOString(), ...changes }));
  return path;
}

describe('retain', () => {
  it('lets go what is older than a proven one, and touches nothing', async () => {
    await verified('a', 9);
    await verified('b', 5);
    await verified('c', 1);
    const { code, going } = await retain();
    expect([code, going]).toEqual([0, ['a', 'b']]);
    expect((await run('ls', [backups])).stdout).toBe('a\nb\nc\n');
  });
  it('stops at the newest proven one when newer ones failed or were not verified', async () => {
    await verified('a', 9);
    await verified('b', 5);
    await verified('c', 2, FAILED);
    await world.point('d', { takenAt: daysAgo(1) });
    expect((await retain()).going).toEqual(['a']);
  });
  it('lets nothing go when nothing is proven, says so, and answers 1', async () => {
    await verified('a', 9, FAILED);
    await world.point('b', { takenAt: daysAgo(1) });
    const { code, going, points } = await retain();
    expect([code, going]).toEqual([1, []]);
    expect(points[0]?.why.join()).toContain('No restore point of db1 is proven');
  });
  it('reads the files of what replaces the others: a changed byte and an unchanged length do not deceive it', async () => {
    await verified('a', 9);
    await verified('b', 5);
    const path = await verified('c', 1);
    const { mtime } = await stat(join(path, 'disk0.raw'));
    await writeFile(join(path, 'disk0.raw'), 'X', { flag: 'r+' });
    await utimes(join(path, 'disk0.raw'), mtime, mtime);
    expect((await retain({ trustDigest: true })).going).toEqual(['a', 'b']);
    expect((await retain()).going).toEqual(['a']);
  });
  it('finds the proof of files that were moved', async () => {
    await verified('a', 9);
    const path = await verified('b', 1);
    await rename(path, join(backups, 'moved'));
    expect((await retain()).going).toEqual(['a']);
  });
  it('asks for what is required of a proof', async () => {
    await verified('a', 9);
    await verified('b', 5);
    await verified('c', 1, { policy: { depth: 'static', sha256: 'c'.repeat(64) } });
    expect((await retain({ depth: 'recovery' })).going).toEqual(['a']);
    expect((await retain({ maxAge: '1m', now: () => new Date(Date.now() + 600_000) })).code).toBe(1);
  });
  it('keeps a base that an overlay in another folder needs', async () => {
    const base = await verified('a', 9);
    await writeFile(join(base, 'base.qcow2'), qcow2Bytes({}));
    await writeFile(
      join(base, 'restore-point.json'),
      JSON.stringify({ schema: 'snapproof.restore-point/v1', machine: 'db1', takenAt: daysAgo(9), disks: [{ path: 'base.qcow2', format: 'qcow2' }] }),
    );
    await mkdir(join(backups, 'b'));
    await writeFile(join(backups, 'b', 'top.qcow2'), qcow2Bytes({ backing: join(base, 'base.qcow2'), backingFormat: 'qcow2' }));
    await writeFile(
      join(backups, 'b', 'restore-point.json'),
      JSON.stringify({ schema: 'snapproof.restore-point/v1', machine: 'db1', takenAt: daysAgo(7), disks: [{ path: 'top.qcow2', format: 'qcow2' }] }),
    );
    await verified('c', 1);
    expect((await retain()).going).toEqual(['a', 'b']);
    const { going, points } = await retain({ keepLast: 2 });
    expect(going).toEqual([]);
    expect(points.find(({ path }) => path === base)?.why).toEqual([`${join(backups, 'b')} stays, and needs its files.`]);
  });
  it('lets nothing go while something cannot be read', async () => {
    await verified('a', 9);
    await verified('b', 1);
    await mkdir(join(backups, 'broken'));
    await writeFile(join(backups, 'broken', 'restore-point.json'), '{"schema":');
    const { going, points } = await retain();
    expect(going).toEqual([]);
    expect(points[0]?.why.join()).toContain('broken');
  });
  it('lets nothing go while the clock is behind the ledger', async () => {
    await verified('a', 9);
    await verified('b', 1);
    const { going, points } = await retain({ now: () => new Date(Date.now() - 3_600_000) });
    expect(going).toEqual([]);
    expect(points[0]?.why.join()).toMatch(/clock/);
  });
  it('keeps a folder in which something that stays lies', async () => {
    await verified('a', 9);
    await verified('a/inner', 1);
    expect((await retain()).going).toEqual([]);
  });
  it('needs a rule, and a command that names the place', async () => {
    await verified('a', 9);
    await expect(retain({ keepLast: 0 })).rejects.toMatchObject({ exitCode: 2 });
    await expect(retain({ keepLast: 1.5 })).rejects.toMatchObject({ exitCode: 2 });
    await expect(retain({ apply: true, command: ['rm', '-r'] })).rejects.toMatchObject({ exitCode: 2 });
    await expect(retain({ apply: true })).rejects.toMatchObject({ exitCode: 2 });
    await expect(retain({ state: join(world.folder, 'none') })).rejects.toMatchObject({ exitCode: 5 });
  });
});

describe('retain --apply', () => {
  const each = (...command: string[]): Partial<RetainArguments> => ({ apply: true, command, maxPercent: 100 });

  it('runs the command for each, without a shell', async () => {
    await verified('a $(touch pwned)', 9);
    await verified('b', 5);
    await verified('c', 1);
    const { code, applied } = await retain(each('rm', '-r', '--', '{}'));
    expect([code, applied?.stopped, applied?.removals.length]).toEqual([0, null, 2]);
    expect((await run('ls', [backups])).stdout).toBe('c\n');
  });
  it('stops at the first command that fails', async () => {
    await verified('a', 9);
    await verified('b', 5);
    await verified('c', 1);
    const { code, applied } = await retain(each('false', '{}'));
    expect([code, applied?.removals.length, applied?.stopped?.by]).toEqual([4, 1, 'command']);
    expect((await retain(each('/nowhere/to/be/found', '{}'))).applied?.removals[0]?.exitCode).toBeNull();
  });
  it('stops when what replaces them changes meanwhile', async () => {
    await verified('a', 9);
    await verified('b', 5);
    const newest = await verified('c', 1);
    const script = join(world.folder, 'remove.sh');
    await writeFile(script, `#!/bin/sh\nrm -r "$1" && printf X >> "${newest}/disk0.raw"\n`);
    await chmod(script, 0o755);
    const { code, applied } = await retain(each(script, '{}'));
    expect([code, applied?.removals.length, applied?.stopped?.by]).toEqual([1, 1, 'gate']);
    expect((await run('ls', [backups])).stdout).toBe('b\nc\n');
  });
  it('stops when the record is rejected meanwhile', async () => {
    await verified('a', 9);
    await verified('b', 5);
    const path = await verified('c', 1, { id: 'newest' });
    let asked = 0;
    const now = (): Date => {
      if (++asked === 3) world.append(sampleSignOff('s1', 'newest', { decision: 'rejected' }));
      return SOON;
    };
    const { applied } = await retain({ ...each('true', '{}'), now });
    expect(applied).toMatchObject({ removals: [{ exitCode: 0 }], stopped: { by: 'gate', why: expect.stringContaining(path) } });
  });
  it('does nothing when too many would go', async () => {
    for (const [name, days] of [
      ['a', 9],
      ['b', 5],
      ['c', 1],
    ] as const)
      await verified(name, days);
    for (const guard of [{ maxPercent: undefined }, { maxDelete: 1 }]) {
      const { code, applied } = await retain({ ...each('rm', '-r', '--', '{}'), ...guard });
      expect([code, applied?.removals, applied?.stopped?.by]).toEqual([1, [], 'guard']);
    }
    expect((await run('ls', [backups])).stdout).toBe('a\nb\nc\n');
  });
  it('tells people why each stays', async () => {
    await verified('a', 9);
    await verified('b', 1);
    const { streams, out } = capture();
    expect(await retainCommand({ paths: [backups], state: world.state, keepLast: 1, now: () => SOON }, streams)).toBe(0);
    const text = out();
    expect(text).toMatch(/may go {2}.*backups\/a\n/);
    expect(text.replaceAll(/\s+/g, ' ')).toContain('It is the newest proven one of db1.');
    expect(text).toContain('Nothing was removed');
  });

  it('knows restore points without a manifest by the sources of a drill', async () => {
    const folders = ['2026-03-01', '2026-03-08'].map((day) => join(backups, 'web', day));
    for (const [index, folder] of folders.entries()) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'disk.raw'), `disk of ${index}`);
      world.append(
        await recordOf(folder, { machine: 'web', takenAt: `${folder.slice(-10)}T00:00:00.000Z`, startedAt: new Date(Date.now() + 1000).toISOString() }),
      );
    }
    expect((await retain()).going).toEqual([]);
    const policy = join(world.folder, 'nightly.yaml');
    await writeFile(policy, 'sources: [{ folders: "backups/{machine}/{takenAt}" }]\nmachines: [{ match: "*" }]\n');
    const { code, going, points } = await retain({ policy });
    expect([code, going]).toEqual([0, ['web/2026-03-01']]);
    expect(points.map(({ machine }) => machine)).toEqual(['web', 'web']);
  });

  it('plans nothing while a source of the drill cannot be listed', async () => {
    await verified('a', 9);
    const policy = join(world.folder, 'nightly.yaml');
    await writeFile(policy, 'sources: [{ command: [ "/nonexistent/list" ] }]\nmachines: [{ match: "*" }]\n');
    await expect(retain({ policy })).rejects.toThrow(/could not be listed/);
  });
});
