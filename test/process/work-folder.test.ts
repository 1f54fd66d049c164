import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { removeAbandoned } from '../../src/process/clean-up.js';
import { identityOf } from '../../src/process/proc.js';
import { openWorkFolder, type WorkFolder } from '../../src/process/work-folder.js';
import { compileWorkFolder, startHolder } from './holder.js';

let compiled: string;
let module: string;
let temporary: string;
const started: ChildProcess[] = [];
const opened: WorkFolder[] = [];

beforeAll(() => {
  compiled = mkdtempSync(join(tmpdir(), 'sp-build-'));
  module = compileWorkFolder(compiled);
});
afterAll(() => rmSync(compiled, { recursive: true, force: true }));

beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'sp-'));
  vi.stubEnv('TMPDIR', temporary);
});
afterEach(async () => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  for (const folder of opened.splice(0)) await folder.close();
  await removeAbandoned();
  vi.unstubAllEnvs();
  rmSync(temporary, { recursive: true, force: true });
});

async function open(): Promise<WorkFolder> {
  const folder = await openWorkFolder();
  opened.push(folder);
  return folder;
}

function sleeper(env: Record<string, string> = {}): ChildProcess {
  const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore', env: { ...process.env, ...env } });
  started.push(child);
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

describe('a work folder', () => {
  it('is private and gone after close, with its children', async () => {
    const folder = await open();
    expect(statSync(folder.path).mode & 0o777).toBe(0o700);
    const child = sleeper();
    folder.recordChild(child.pid as number);
    const exit = once(child, 'exit');
    expect(await folder.close()).toEqual({ complete: true, left: [] });
    expect((await exit)[1]).toBe('SIGTERM');
    expect(existsSync(folder.path)).toBe(false);
    expect(await folder.close()).toEqual({ complete: true, left: [] });
  });

  it('ends a child that carries its mark although nobody recorded it', async () => {
    const folder = await open();
    const exit = once(sleeper(folder.environment()), 'exit');
    await folder.close();
    expect((await exit)[1]).toBe('SIGTERM');
  });

  it('refuses a base folder that others may enter', async () => {
    const folder = await open();
    await folder.close();
    const base = join(temporary, `snapproof-${process.getuid?.()}`);
    rmSync(base, { recursive: true });
    writeFileSync(base, 'a file where the folder should be');
    await expect(openWorkFolder()).rejects.toThrow();
    rmSync(base);
  });

  it('refuses a folder whose name leaves no room for sockets', async () => {
    vi.stubEnv('TMPDIR', join(temporary, 'x'.repeat(60)));
    await expect(openWorkFolder()).rejects.toThrow(/too long/);
    vi.stubEnv('TMPDIR', temporary);
  });
});

describe('removeAbandoned', () => {
  it('ends the children of a killed run, even one that left its group or ignores SIGTERM, and removes its folder', async () => {
    const holder = await startHolder(module, temporary);
    started.push(holder.process);
    expect(await removeAbandoned()).toEqual([]);
    await killed(holder.process);
    expect(holder.children.map((pid) => identityOf(pid) !== null)).toEqual([true, true]);
    const [removed] = await removeAbandoned();
    expect(removed).toMatchObject({ folder: holder.folder, complete: true, left: [] });
    expect(removed?.endedProcesses).toBeGreaterThanOrEqual(2);
    expect(holder.children.map(identityOf)).toEqual([null, null]);
    expect(existsSync(holder.folder)).toBe(false);
    expect(await removeAbandoned()).toEqual([]);
  });

  it('leaves a living run alone while it removes a dead one', async () => {
    const [living, dead] = [await startHolder(module, temporary), await startHolder(module, temporary)];
    started.push(living.process, dead.process);
    await killed(dead.process);
    const removed = await removeAbandoned();
    expect(removed.map((item) => item.folder)).toEqual([dead.folder]);
    expect(existsSync(join(living.folder, 'overlay'))).toBe(true);
    expect(living.children.map((pid) => identityOf(pid) !== null)).toEqual([true, true]);
    await killed(living.process);
  });

  it('does not end a process that got the pid of a recorded child', async () => {
    const holder = await startHolder(module, temporary);
    started.push(holder.process);
    const bystander = sleeper();
    const identity = identityOf(bystander.pid as number);
    appendFileSync(join(holder.folder, 'children'), `${identity?.pid} ${(identity?.startTicks ?? 0) - 1}\n`);
    await killed(holder.process);
    expect((await removeAbandoned()).map((item) => item.complete)).toEqual([true]);
    expect(identityOf(bystander.pid as number)).toEqual(identity);
  });

  it('removes a folder of an earlier boot, but ends no process that looks like its child', async () => {
    const folder = await open();
    const bystander = sleeper();
    folder.recordChild(bystander.pid as number);
    const owner = { ...identityOf(process.pid), bootId: 'of an earlier boot', pidNamespace: 'pid:[1]' };
    writeFileSync(join(folder.path, 'owner.json'), JSON.stringify(owner));
    expect((await removeAbandoned()).map((item) => item.folder)).toEqual([folder.path]);
    expect(identityOf(bystander.pid as number)).not.toBeNull();
  });

  it('removes a folder whose owner pid belongs to another process now', async () => {
    const folder = await open();
    const file = join(folder.path, 'owner.json');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), startTicks: 1 }));
    expect((await removeAbandoned()).map((item) => item.folder)).toEqual([folder.path]);
  });

  it('leaves a folder alone that is just being made, and one of another pid namespace', async () => {
    const [young, elsewhere] = [await open(), await open()];
    writeFileSync(join(young.path, 'owner.json'), '');
    const file = join(elsewhere.path, 'owner.json');
    const owner = JSON.parse(readFileSync(file, 'utf8'));
    writeFileSync(file, JSON.stringify({ ...owner, startTicks: 1, pidNamespace: 'pid:[1]' }));
    expect(await removeAbandoned()).toEqual([]);
    expect(readdirSync(join(temporary, `snapproof-${process.getuid?.()}`))).toHaveLength(2);
  });
});
