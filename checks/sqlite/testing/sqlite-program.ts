/** The real sqlite3 program as ground truth, and a sandbox that confines nothing but really runs it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sandbox } from '../../../src/labs/lab.js';

/** What `PRAGMA integrity_check` says of a copy of the database and its log. */
export function groundTruth(path: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'snapproof-truth-'));
  try {
    const copy = join(folder, 'copy.db');
    for (const suffix of ['', '-wal', '-journal']) {
      if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix);
    }
    return execFileSync('sqlite3', [copy, 'PRAGMA integrity_check'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Names the tool that is missing, or null. */
export function missingProgram(): string | null {
  return spawnSync('sqlite3', ['-version']).error ? 'sqlite3 is missing: apt-get install sqlite3' : null;
}

/** Runs the tool directly: for tests of what a check makes of the tool's answer. */
export const directSandbox: Sandbox = {
  async run({ tool, args, cwd, env, timeoutMs }) {
    const start = performance.now();
    const result = spawnSync(tool, args, { encoding: 'utf8', timeout: timeoutMs, cwd, env: { ...process.env, ...env } });
    const timedOut = result.error !== undefined && 'code' in result.error && result.error.code === 'ETIMEDOUT';
    if (result.error && !timedOut) throw result.error;
    return { exitCode: result.status, stdout: result.stdout, stderr: result.stderr, timedOut, truncated: false, durationMs: performance.now() - start };
  },
};
