/** A result that took minutes must come out: whatever happens to the ledger, the report folder or the reader. And what needs the appliance. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { problemsOfRun } from '../../src/ledger/index.js';
import { manifest, qcow2, soundDisk } from './bad-images.js';
import { CLI, type CliOptions, type CliRun, requireBuild, runCli } from './cli.js';
import { fill } from './full-disk.js';
import { fingerprint, leftovers } from './traces.js';

beforeAll(requireBuild);

const NOBODY = 65534;
let place: string;
let point: string;
let temporary: string;
let state: string;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'sr-'));
  [point, temporary, state] = [join(place, 'point'), join(place, 't'), join(place, 'state')];
  for (const folder of [point, temporary, state]) mkdirSync(folder);
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

async function verify(args: string[], options: CliOptions = {}): Promise<CliRun> {
  const run = await runCli(['verify', '--state', state, ...args], { ...options, env: { TMPDIR: temporary, ...options.env } });
  expect(leftovers(temporary), 'left behind').toEqual([]);
  expect(run.stderr).not.toMatch(/should not have happened|^\s+at /m);
  return run;
}

/** An image that fails at once, so that the runs are short. */
const failing = (name = 'disk.qcow2') => writeFileSync(join(point, name), '');

function documentOf(run: CliRun): { summary: object; records: { verdict: string; reasons: string[] }[] } {
  const document = JSON.parse(run.stdout);
  expect(problemsOfRun(document)).toEqual([]);
  return document;
}

function asNobody(skip: (why: string) => void): string[] {
  if (process.getuid?.() !== 0) skip('only root may become another user (setpriv)');
  const before = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  if (spawnSync(before[0] as string, [...before.slice(1), 'test', '-r', CLI]).status !== 0) skip('another user cannot read the built program here');
  for (const folder of [temporary, state]) chownSync(folder, NOBODY, NOBODY);
  for (const folder of [place, point]) chmodSync(folder, 0o755);
  return before;
}

describe('permissions', () => {
  it('no permission to read the image: 2, and says whose', async ({ skip }) => {
    const before = asNobody(skip);
    const home = { HOME: state };
    qcow2(point, 'disk.qcow2', {});
    chmodSync(join(point, 'disk.qcow2'), 0o600);
    const run = await verify([point], { before, env: home });
    expect(run.stderr).toMatch(/no permission to read .*disk\.qcow2\nRun as a user who may read it/);
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
  });

  it('a state folder that may not be written: 5, before anything starts', async ({ skip }) => {
    const before = asNobody(skip);
    failing();
    chownSync(state, 0, 0);
    chmodSync(state, 0o755);
    const run = await verify([point], { before, env: { HOME: temporary } });
    expect(run.stderr).toMatch(/^snapproof: The ledger .*ledger\.sqlite cannot be opened: no permission\.\nRun as the user who owns it/);
    expect(run).toMatchObject({ exitCode: 5, stdout: '' });
    expect(readdirSync(state)).toEqual([]);
  });

  it('no room for temporary files where TMPDIR points: 2', async () => {
    failing();
    const run = await runCli(['verify', '--state', state, point], { env: { TMPDIR: join(point, 'disk.qcow2') } });
    expect(run.stderr).toMatch(/The folder for temporary files cannot be made: .*\nSet TMPDIR/);
    expect(run.exitCode).toBe(2);
  });
});

describe('a ledger that takes no record: 5, and the result is shown all the same', () => {
  const damage = (): void => {
    const ledger = new Database(join(state, 'ledger.sqlite'));
    ledger.exec('DROP TRIGGER head_only_forward; UPDATE head SET count = count + 1');
    ledger.close();
  };

  it.each([['--json'], []])('one that was tampered with %s', async (...args) => {
    failing();
    expect((await verify([point])).exitCode).toBe(1);
    damage();
    const run = await verify([...args, '--report', join(place, 'report'), point]);
    expect(run.exitCode).toBe(5);
    expect(run.stderr).toMatch(/was changed by something else than snapproof[\s\S]*Nothing was appended/);
    if (args.length > 0) expect(documentOf(run).records[0]?.verdict).toBe('failed');
    else expect(run.stdout).toMatch(/^FAILED: [\s\S]*the file is empty/);
    expect(run.stdout).not.toContain('stored in');
    expect(existsSync(join(place, 'report', 'run.json'))).toBe(true);
  });

  it('one on a full disk', async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('only root may mount a small disk (mount -t tmpfs)');
    failing();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', state]);
    try {
      expect((await verify([point])).exitCode).toBe(1);
      // Held open, its -wal and -shm files stay: opening works, and appending meets the full disk.
      const holder = new Database(join(state, 'ledger.sqlite'));
      try {
        holder.prepare('SELECT count(*) FROM entries').get();
        fill(join(state, 'full'));
        const run = await verify(['--json', point]);
        expect(run.stderr).toMatch(/no space is left on its disk\. The ledger itself is unharmed[\s\S]*Free some space there/);
        expect(run.exitCode).toBe(5);
        expect(documentOf(run).records[0]?.verdict).toBe('failed');
      } finally {
        rmSync(join(state, 'full'), { force: true });
        holder.close();
      }
      const check = await runCli(['ledger', 'verify', '--state', state, '--json']);
      expect(JSON.parse(check.stdout)).toMatchObject({ ok: true, count: 1 });
    } finally {
      execFileSync('umount', ['-l', state]);
    }
  });
});

describe('readers and files of the result', () => {
  const inShell = (command: string) => {
    const env = { ...process.env, TMPDIR: temporary, NO_COLOR: '1' };
    return spawnSync('bash', ['-c', `set -o pipefail; ${command}`, process.execPath, CLI, state, point], { env, encoding: 'utf8' });
  };

  it('a reader that went away changes neither the exit code nor the ledger', async () => {
    for (const name of ['a.qcow2', 'b.qcow2', 'c.qcow2']) failing(name);
    const run = inShell('"$0" "$1" verify --state "$2" "$3/a.qcow2" "$3/b.qcow2" "$3/c.qcow2" | true');
    expect(run.status).toBe(1);
    expect(run.stderr).not.toMatch(/EPIPE|^\s+at /m);
    const first = inShell('"$0" "$1" verify --state "$2" "$3/a.qcow2" | head -1');
    expect(first.stdout).toMatch(/^FAILED: /);
    expect(first.status).toBe(1);
    const both = inShell('"$0" "$1" verify --state "$2" "$3/a.qcow2" 2>&1 | true');
    expect(both.status).toBe(1);
    const history = await runCli(['history', '--json', '--state', state]);
    expect(JSON.parse(history.stdout).entries).toHaveLength(5);
  });

  it('a result that cannot be written out: 4, and it lies in the ledger', async () => {
    failing();
    const run = inShell('"$0" "$1" verify --json --state "$2" "$3" >/dev/full');
    expect(run.status).toBe(4);
    expect(run.stderr).toMatch(/The result could not be written out: .*ENOSPC[\s\S]*snapproof history --json/);
    const history = await runCli(['history', '--json', '--state', state]);
    expect(JSON.parse(history.stdout).entries).toHaveLength(1);
  });

  it('a report that cannot be written any more: 2, and the records are shown and stored', async () => {
    failing();
    const report = join(place, 'report');
    const replace = (stderr: string) => {
      if (!stderr.includes('Read the headers') || !existsSync(report) || readFileSafely(report) !== null) return;
      rmSync(report, { recursive: true });
      writeFileSync(report, 'now a file');
    };
    const run = await verify(['--json', '--report', report, point], { watch: replace });
    expect(run.stderr).toMatch(/The report cannot be written to .*report/);
    expect(run.exitCode).toBe(2);
    expect(documentOf(run).records).toHaveLength(1);
  });

  const readFileSafely = (path: string): string | null => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return null;
    }
  };
});

describe('what only the inside of the disks can tell', () => {
  it('a sound disk: 0, one document that fits the schema', async () => {
    soundDisk(point);
    const before = await fingerprint(point);
    const run = await verify(['--json', '--depth', 'static', point]);
    expect(run.exitCode).toBe(0);
    expect(documentOf(run)).toMatchObject({ summary: { passed: 1 }, records: [{ verdict: 'passed' }] });
    expect(await fingerprint(point)).toEqual(before);
  });

  it('raw stated on a qcow2: a warning, and no pass', async () => {
    qcow2(point, 'disk', {});
    manifest(point, [{ path: 'disk', format: 'raw' }]);
    const run = await verify(['--json', '--depth', 'static', point]);
    expect(run.exitCode).toBe(3);
    expect(run.stdout).toMatch(/is stated to be raw and is taken so, but begins like qcow2/);
    documentOf(run);
  });

  it('a disk of 1 PiB that holds nothing: in seconds, with little memory, and no pass', async () => {
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', 'cluster_size=2M', join(point, 'disk.qcow2'), '1P']);
    const run = await verify(['--json', '--depth', 'static', point]);
    expect(run.exitCode).toBe(3);
    expect(documentOf(run).records[0]?.reasons.join()).toMatch(/all disks of this restore point are empty/);
    expect(run.peakBytes).toBeLessThan(300 * 2 ** 20);
    expect(run.durationMs).toBeLessThan(90_000);
  });

  it('a file that is written while it is read: 3, with that reason', async () => {
    soundDisk(point);
    const memory = join(point, 'memory.bin');
    writeFileSync(memory, '');
    truncateSync(memory, 64 * 2 ** 20);
    manifest(point, [{ path: 'disk.raw', format: 'raw' }], { memory: { path: 'memory.bin', format: 'raw' } });
    let appended = false;
    const append = (stderr: string) => {
      if (appended || !stderr.includes('Check the images')) return;
      appended = true;
      writeFileSync(memory, 'more', { flag: 'a' });
    };
    const run = await verify(['--json', '--depth', 'static', point], { watch: append });
    expect(appended).toBe(true);
    expect(run.exitCode).toBe(3);
    expect(documentOf(run).records[0]?.reasons.join()).toMatch(/memory\.bin changed while it was read \(its length changed\)/);
  });
});
