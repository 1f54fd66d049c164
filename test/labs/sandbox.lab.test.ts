import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openSource } from '../../src/bytes/source.js';
import { InterruptedError, MissingToolError } from '../../src/errors.js';
import { confinedCommand } from '../../src/labs/sandbox/arguments.js';
import { openSandbox, type SandboxSession, sandboxLab, spawnSandboxed } from '../../src/labs/sandbox/index.js';
import { probeConfinement } from '../../src/labs/sandbox/probe.js';
import { descendants, describeLabContract } from './contract.js';

const never = new AbortController().signal;
const MINUTE = 60_000;
let folder: string;
let sandbox: SandboxSession;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'snapproof-sandbox-test-'));
  await writeFile(join(folder, 'image'), 'the bytes of a backup');
  await mkdir(join(folder, 'work'));
  const probe = await sandboxLab.probe();
  expect(probe, `the sandbox tests need bubblewrap: ${probe.why}`).toMatchObject({ usable: true });
  sandbox = openSandbox();
});

afterAll(async () => {
  await sandbox.close();
  await rm(folder, { recursive: true });
});

const shell = (script: string, more: Partial<Parameters<SandboxSession['run']>[0]> = {}) =>
  sandbox.run({ tool: 'bash', args: ['-c', script], timeoutMs: MINUTE, ...more }, never);

describeLabContract('sandbox', async () => {
  const own = await mkdtemp(join(tmpdir(), 'snapproof-sandbox-contract-'));
  const image = join(own, 'image');
  await writeFile(image, 'original');
  return {
    open: (signal) => sandboxLab.open({}, signal),
    use: (session) => session.run({ tool: 'bash', args: ['-c', 'sleep 0.2; cat "$0"', image], readable: [image], timeoutMs: MINUTE }, never),
    originals: [image],
    workFolder: own,
    dispose: () => rm(own, { recursive: true }),
  };
});

describe('what a confined tool sees', () => {
  it('reads what it was given, and nothing else of the host', async () => {
    const image = join(folder, 'image');
    const seen = await sandbox.run({ tool: 'cat', args: [image], readable: [image], timeoutMs: MINUTE }, never);
    expect(seen).toMatchObject({ exitCode: 0, stdout: 'the bytes of a backup' });
    const hidden = await sandbox.run({ tool: 'cat', args: [image], timeoutMs: MINUTE }, never);
    expect(hidden.exitCode).not.toBe(0);
    const listing = await shell('cat /proc/[0-9]*/comm; ls -A / /etc');
    expect(listing.stdout).not.toMatch(/node|vitest|shadow|passwd|home|root\n/);
  });

  it('cannot write what it was given to read, and can write its work folder', async () => {
    const image = join(folder, 'image');
    const work = join(folder, 'work');
    const result = await shell(`echo x >> ${image}; rm -f ${image}; echo y > ${work}/made`, { readable: [image], writable: [work] });
    expect(result.stderr).toMatch(/Read-only file system/);
    expect(await readFile(image, 'utf8')).toBe('the bytes of a backup');
    expect(await readFile(join(work, 'made'), 'utf8')).toBe('y\n');
  });

  it('cannot write the settings of the host kernel', async () => {
    const result = await shell(
      'for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/sys/vm/drop_caches; do test -w $f && echo writable $f; done; true',
    );
    expect(result).toMatchObject({ exitCode: 0, stdout: '' });
  });

  it('inherits no environment', async () => {
    process.env.SNAPPROOF_TEST_SECRET = 'secret';
    const result = await shell('env', { env: { GIVEN: 'yes' } });
    delete process.env.SNAPPROOF_TEST_SECRET;
    expect(result.stdout).toContain('GIVEN=yes');
    expect(result.stdout).not.toContain('secret');
  });

  it('reads a file that belongs to another user and is private', async ({ skip }) => {
    if (process.getuid?.() !== 0) skip('only root may give a file away');
    const foreign = join(folder, 'foreign');
    await writeFile(foreign, 'owned by another', { mode: 0o600 });
    await chown(foreign, 65534, 65534);
    const result = await sandbox.run({ tool: 'cat', args: [foreign], readable: [foreign], timeoutMs: MINUTE }, never);
    expect(result).toMatchObject({ exitCode: 0, stdout: 'owned by another' });
  });

  it('has no network, not even to this host', async () => {
    const server = createServer((socket) => socket.end('reached'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const { stdout: outside } = await promisify(execFile)('bash', ['-c', `cat < /dev/tcp/127.0.0.1/${port}`]);
    expect(outside, 'the server can be reached without the sandbox').toBe('reached');
    const inside = await shell(`cat < /dev/tcp/127.0.0.1/${port}`);
    server.close();
    expect(inside.stdout).toBe('');
    expect(inside.stderr).toMatch(/refused|unreachable/i);
  });
});

describe('limits', () => {
  it('kills grandchildren at the time limit', async () => {
    const before = await descendants(process.pid);
    const result = await shell('setsid bash -c "sleep 300 & sleep 300" & sleep 300', { timeoutMs: 500 });
    expect(result.timedOut).toBe(true);
    expect(result.durationMs).toBeLessThan(20_000);
    expect(await descendants(process.pid)).toEqual(before);
  });

  it('keeps only the first bytes of each stream and says so', async () => {
    const result = await shell('head -c 30000000 /dev/zero | tr "\\0" a; echo done >&2', { outputBytes: 1000 });
    expect(result).toMatchObject({ exitCode: 0, truncated: true, stderr: 'done\n' });
    expect(result.stdout).toBe('a'.repeat(1000));
  });

  it('denies memory beyond the limit', async () => {
    const greedy = { tool: 'perl', args: ['-e', 'my $x = "a" x (512 * 1024 * 1024); print length $x'], timeoutMs: MINUTE };
    const granted = await sandbox.run({ ...greedy, memoryBytes: 2 ** 31 }, never);
    const denied = await sandbox.run({ ...greedy, memoryBytes: 2 ** 28 }, never);
    expect(granted.stdout).toBe(String(512 * 1024 * 1024));
    expect(denied.exitCode).not.toBe(0);
    expect(denied.stdout).toBe('');
  });

  it('stops a file at the size limit', async () => {
    const small = openSandbox({ fileBytes: 1_000_000 });
    const work = join(folder, 'work');
    const result = await small.run(
      { tool: 'dd', args: ['if=/dev/zero', `of=${work}/big`, 'bs=100k', 'count=100'], writable: [work], timeoutMs: MINUTE },
      never,
    );
    await small.close();
    expect(result.exitCode).not.toBe(0);
    expect((await readFile(join(work, 'big'))).length).toBe(1_000_000);
  });

  it('ends at once when it is interrupted', async () => {
    const abort = new AbortController();
    const run = sandbox.run({ tool: 'sleep', args: ['300'], timeoutMs: MINUTE }, abort.signal);
    setTimeout(() => abort.abort(), 300);
    await expect(run).rejects.toThrow(InterruptedError);
  });
});

describe('start and end', () => {
  it('names a missing tool', async () => {
    await expect(sandbox.run({ tool: 'no-such-tool', args: [], timeoutMs: MINUTE }, never)).rejects.toThrow(MissingToolError);
    await expect(sandbox.run({ tool: 'no-such-tool', args: [], timeoutMs: MINUTE }, never)).rejects.toThrow(/"no-such-tool" is not on this host/);
  });

  it('hands over arguments and input as they are', async () => {
    const odd = [' a  b', '$(id)', '`id`', '', '-x', 'ü\n"\'', ';|&'];
    const result = await sandbox.run({ tool: 'printf', args: ['%s\\0', ...odd], timeoutMs: MINUTE }, never);
    expect(result.stdout.split('\0').slice(0, -1)).toEqual(odd);
    expect((await sandbox.run({ tool: 'cat', args: [], stdin: 'typed', timeoutMs: MINUTE }, never)).stdout).toBe('typed');
  });

  it('gives the tool another user id, for engines that refuse to run as root', async () => {
    const work = join(folder, 'work');
    const result = await shell(`id -u; id -g; echo z > ${work}/by-other; cat ${work}/by-other`, { uid: 26, writable: [work] });
    expect(result).toMatchObject({ exitCode: 0, stdout: '26\n26\nz\n' });
  });

  it('runs a block server that is reached over a socket in its work folder', async () => {
    const work = join(folder, 'work');
    const image = join(folder, 'disk.raw');
    const content = randomBytes(2 ** 20);
    await writeFile(image, content);
    const file = { driver: 'file', filename: image, 'read-only': true };
    const node = { driver: 'raw', 'node-name': 'disk0', 'read-only': true, file };
    const args = [
      '--blockdev',
      JSON.stringify(node),
      '--nbd-server',
      `addr.type=unix,addr.path=${work}/nbd`,
      '--export',
      'type=nbd,id=e,node-name=disk0,name=disk0,writable=off',
    ];
    const server = await spawnSandboxed({ tool: 'qemu-storage-daemon', args, readable: [image], writable: [work] });
    await expect
      .poll(
        () =>
          stat(join(work, 'nbd')).then(
            (info) => info.isSocket(),
            () => server.stderr.text(),
          ),
        { timeout: MINUTE },
      )
      .toBe(true);
    const source = await openSource({ kind: 'nbd', socketPath: join(work, 'nbd'), exportName: 'disk0' });
    expect((await source.read(4096, 8192)).equals(content.subarray(4096, 4096 + 8192))).toBe(true);
    await source.close();
    await server.kill();
    await server.kill();
    expect(server.running).toBe(false);
    await rm(join(work, 'nbd'), { force: true });
  });

  it('ends servers when it is closed', async () => {
    const own = openSandbox();
    const server = await own.spawn({ tool: 'bash', args: ['-c', 'sleep 300 & echo up; wait'] });
    await expect.poll(() => server.stdout.text()).toBe('up\n');
    await own.close();
    expect(server.running).toBe(false);
    expect((await server.exited).signal).toBe('SIGKILL');
  });

  it('dies with the program that started it, even by SIGKILL', async () => {
    const marker = `31${process.pid}`;
    const confinement = await probeConfinement(2 ** 30);
    const command = confinedCommand(confinement, { tool: 'sleep', args: [marker] }, '/usr/bin/sleep');
    const parent = spawn(process.execPath, ['-e', 'require("child_process").spawn(process.argv[1], process.argv.slice(2))', ...command]);
    onTestFinished(() => void parent.kill('SIGKILL'));
    await expect.poll(() => sleepers(marker), { timeout: MINUTE }).toBeGreaterThan(0);
    parent.kill('SIGKILL');
    await expect.poll(() => sleepers(marker), { timeout: 10_000 }).toBe(0);
  });
});

async function sleepers(marker: string): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'args']);
  return stdout.split('\n').filter((line) => line.trim() === `/usr/bin/sleep ${marker}`).length;
}
