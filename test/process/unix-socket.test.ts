/** A socket's file alone is no server: it is there before anybody listens, and after. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { awaitSocket } from '../../src/labs/sandbox/await-socket.js';
import { isListening } from '../../src/process/unix-socket.js';

const folder = mkdtempSync(join(tmpdir(), 'snapproof-socket-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const RUNNING = { running: true, stderr: { text: () => '' } } as unknown as Parameters<typeof awaitSocket>[1];

/** What a server leaves that was bound and does not listen. */
function bound(name: string): string {
  const path = join(folder, name);
  const script = 'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))';
  try {
    execFileSync(process.execPath, ['-e', script, path], { stdio: 'ignore' });
  } catch {
    // it was killed, as it should
  }
  expect(existsSync(path)).toBe(true);
  return path;
}

async function listen(path: string): Promise<void> {
  const server = createServer((socket) => socket.end());
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(path, resolve));
}

describe('a socket', () => {
  it('is listened at only when somebody takes connections', async () => {
    expect(await isListening(join(folder, 'nowhere'))).toBe(false);
    expect(await isListening(bound('stale'))).toBe(false);
    await listen(join(folder, 'there'));
    expect(await isListening(join(folder, 'there'))).toBe(true);
  });

  it('whose file is there is waited for until it is listened at', async () => {
    const path = bound('late');
    let waited = false;
    const waiting = awaitSocket(path, RUNNING, { what: 'the server', timeoutMs: 10_000 }, new AbortController().signal).then(() => {
      waited = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(waited).toBe(false);
    rmSync(path);
    await listen(path);
    await waiting;
    expect(waited).toBe(true);
  });

  it('at which nobody listens in time is an error', async () => {
    const waiting = awaitSocket(bound('never'), RUNNING, { what: 'the server', timeoutMs: 50 }, new AbortController().signal);
    await expect(waiting).rejects.toThrow(/did not start within/);
  });
});
