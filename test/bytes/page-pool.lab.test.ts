import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BlockReader } from '../../src/bytes/block-reader.js';
import { wholeSource } from '../../src/bytes/map.js';
import { type PagePass, runPagePass } from '../../src/bytes/page-pool.js';
import { InterruptedError } from '../../src/errors.js';
import { isListening } from '../../src/process/unix-socket.js';

/** Needs the built program: the threads run it. The verifier that looks at nothing is the one of the benchmark. */
describe('page pass in worker threads', () => {
  let folder: string;
  const sizes = [30_000_001, 0, 1, 5_000_000, 8192];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'snapproof-pool-'));
    for (const [i, size] of sizes.entries()) writeFileSync(join(folder, `f${i}`), Buffer.alloc(size, i + 1));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function pass(changes: Partial<PagePass<{ blockBytes: number }, number, null>>): PagePass<{ blockBytes: number }, number, null> {
    return {
      verifier: new URL('../../fixtures/bench/raw-verifier.js', import.meta.url),
      config: { blockBytes: 65536 },
      files: sizes.map((size, detail) => ({ detail, map: wholeSource({ kind: 'file', path: join(folder, `f${detail}`) }, size) })),
      blockBytes: 65536,
      onResult: () => {},
      signal: new AbortController().signal,
      progress: () => {},
      threads: 2,
      ...changes,
    };
  }

  it('reports every byte once', async () => {
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const steps: [number, number][] = [];
    await runPagePass(pass({ progress: (done, all) => void steps.push([done, all]) }));
    expect(steps.at(-1)).toEqual([total, total]);
    expect(steps.length).toBeGreaterThan(3);
  });

  it('reads NBD exports as it reads files', async () => {
    const socketPath = join(folder, 'nbd.sock');
    const bytes = randomBytes(3_000_000 - (3_000_000 % 512));
    writeFileSync(join(folder, 'disk'), bytes);
    const server = spawn('qemu-nbd', ['--read-only', '--format=raw', '--persistent', '--shared=0', '-x', 'disk', '-k', socketPath, join(folder, 'disk')], {
      stdio: 'ignore',
    });
    try {
      for (let tries = 0; tries < 200 && !(await isListening(socketPath)); tries++) await sleep(50);
      expect(await isListening(socketPath), 'qemu-nbd (Debian package qemu-utils) did not start').toBe(true);
      const map = wholeSource({ kind: 'nbd', socketPath, exportName: 'disk' }, bytes.length);
      const reader = new BlockReader();
      const target = new Uint8Array(1_000_000);
      await reader.read(map, 500_000, target, target.length);
      expect(Buffer.compare(target, bytes.subarray(500_000, 1_500_000))).toBe(0);
      await reader.close();
      let done = 0;
      await runPagePass(
        pass({
          files: [{ detail: 0, map }],
          progress: (bytesDone) => {
            done = bytesDone;
          },
        }),
      );
      expect(done).toBe(bytes.length);
    } finally {
      server.kill();
    }
  });

  it('stops when aborted', async () => {
    const controller = new AbortController();
    const running = runPagePass(pass({ signal: controller.signal, progress: () => controller.abort() }));
    await expect(running).rejects.toBeInstanceOf(InterruptedError);
  });

  it('rejects when a file cannot be read, with its name', async () => {
    const missing = { detail: 9, map: wholeSource({ kind: 'file', path: join(folder, 'missing') }, 100) };
    await expect(runPagePass(pass({ files: [missing] }))).rejects.toThrow(/missing/);
  });

  it('names the command to run when a worker module was not built', async () => {
    const notBuilt = new URL('./page-pool.lab.test.js', import.meta.url);
    await expect(runPagePass(pass({ verifier: notBuilt }))).rejects.toMatchObject({ advice: 'Run `npm run build`.' });
  });
});
