/** Killed at any moment: the originals are untouched, the ledger is whole, and the next run finds and removes what is left. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureSample } from '../../fixtures/sample.js';
import { soundDisk } from './bad-images.js';
import { CLI, requireBuild, runCli } from './cli.js';
import { fingerprint, leftovers, processesNaming } from './traces.js';

/** Killing the sandboxes and the appliance with the run takes the kernel a moment. */
const GONE_MS = 5_000;

let point: string;
let original: string[];
let place: string;
let temporary: string;
let state: string;
const sockets = new Set<string>();

beforeAll(async () => {
  requireBuild();
  point = (await ensureSample()).restorePoints.paused;
  original = await fingerprint(point);
});
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'sk-'));
  [temporary, state] = [join(place, 't'), join(place, 'state')];
  for (const folder of [temporary, state]) mkdirSync(folder);
});
afterEach(() => rmSync(place, { recursive: true, force: true }));
afterAll(async () => expect(await fingerprint(point), 'originals after all').toEqual(original));

interface Run {
  pid: number;
  exit: Promise<unknown[]>;
  stderr(): string;
  /** Resolves when standard error holds this text. @throws when the run ends before. */
  reaches(text: string): Promise<void>;
}

function start(args: string[]): Run {
  const child = spawn(process.execPath, [CLI, 'verify', '--state', state, '--depth', 'static', ...args], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const exit = once(child, 'close');
  return {
    pid: child.pid as number,
    exit,
    stderr: () => stderr,
    async reaches(text) {
      for (let waited = 0; !stderr.includes(text); waited += 10) {
        if (child.exitCode !== null || waited > 120_000) throw new Error(`the run never came to "${text}":\n${stderr}`);
        await sleep(10);
      }
    },
  };
}

/** Socket folders of this run's own appliance, by the command lines of its processes. */
function noteSockets(): void {
  for (const { words } of processesNaming(temporary)) for (const match of words.match(/\/tmp\/libguestfs\w{6}/g) ?? []) sockets.add(match);
}

async function assertProcessesGone(): Promise<void> {
  const deadline = Date.now() + GONE_MS;
  while (processesNaming(temporary).length > 0 && Date.now() < deadline) await sleep(20);
  expect(processesNaming(temporary), 'processes that outlived the run').toEqual([]);
}

/** The next run, on an image that fails at once, cleans up before anything else. */
async function assertNextRunCleansUp(records: number): Promise<void> {
  const other = join(place, 'other');
  mkdirSync(other);
  writeFileSync(join(other, 'disk.qcow2'), '');
  const next = await runCli(['verify', '--state', state, '--json', other], { env: { TMPDIR: temporary } });
  expect(next.exitCode, next.stderr).toBe(1);
  expect(leftovers(temporary)).toEqual([]);
  expect(
    [...sockets].filter((folder) => existsSync(folder)),
    'socket folders',
  ).toEqual([]);
  const check = await runCli(['ledger', 'verify', '--state', state, '--json']);
  expect(check.exitCode).toBe(0);
  expect(JSON.parse(check.stdout)).toMatchObject({ ok: true, count: records + 1, problems: [] });
}

const STAGES: [string, (run: Run) => Promise<void>][] = [
  ['right after its start', () => sleep(150)],
  ['while it opens the disks', (run) => run.reaches('Read the headers of the images: done')],
  ['as soon as the disks are open', (run) => run.reaches('Open the disks on throw-away overlays: done')],
  ['while the appliance starts', (run) => run.reaches('Read partitions and file systems as captured: done').then(() => sleep(2_500))],
  ['while it reads the databases', (run) => run.reaches('Look for systems and databases: done').then(() => sleep(300))],
];

describe('SIGKILL', () => {
  it.each(STAGES)('%s', async (_, until) => {
    const run = start([point]);
    await until(run);
    noteSockets();
    process.kill(run.pid, 'SIGKILL');
    await run.exit;
    await assertProcessesGone();
    await assertNextRunCleansUp(0);
  });

  it('of its whole process group, while it looks at the file systems', async () => {
    const run = start([point]);
    await run.reaches('Start the appliance: done');
    noteSockets();
    expect(
      processesNaming(temporary).some(({ words }) => words.includes('qemu-system')),
      'the appliance runs',
    ).toBe(true);
    process.kill(-run.pid, 'SIGKILL');
    await run.exit;
    await assertProcessesGone();
    await assertNextRunCleansUp(0);
  });
});

describe('Ctrl-C', () => {
  it.each(STAGES.slice(-2))('%s: 130, and nothing is left at exit', async (_, until) => {
    const run = start([point]);
    await until(run);
    noteSockets();
    const begin = Date.now();
    process.kill(-run.pid, 'SIGINT');
    expect((await run.exit)[0], run.stderr()).toBe(130);
    expect(Date.now() - begin).toBeLessThan(10_000);
    expect(run.stderr()).toMatch(/Interrupted by SIGINT: cleaning up\. The files of the restore point are untouched\./);
    expect(run.stderr()).not.toMatch(/should not have happened|^\s+at /m);
    expect(leftovers(temporary)).toEqual([]);
    expect([...sockets].filter((folder) => existsSync(folder))).toEqual([]);
  });
});

describe('two runs at once', () => {
  it("on the same restore point and ledger: both finish, and neither removes what is the other's", async () => {
    const own = join(place, 'point');
    mkdirSync(own);
    soundDisk(own);
    const runs = await Promise.all([0, 1].map(() => runCli(['verify', '--state', state, '--json', '--depth', 'static', own], { env: { TMPDIR: temporary } })));
    for (const run of runs) {
      expect(run.exitCode, run.stderr).toBe(0);
      expect(run.stderr).not.toMatch(/Removed what a run/);
      expect(JSON.parse(run.stdout).records[0].cleanup).toMatchObject({ complete: true });
    }
    const check = await runCli(['ledger', 'verify', '--state', state, '--json']);
    expect(JSON.parse(check.stdout)).toMatchObject({ ok: true, count: 2 });
    expect(readdirSync(join(temporary, `snapproof-${process.getuid?.()}`))).toEqual([]);
    expect(leftovers(temporary)).toEqual([]);
  });
});
