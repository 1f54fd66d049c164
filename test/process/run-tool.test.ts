import { afterEach, describe, expect, it, vi } from 'vitest';
import { MissingToolError } from '../../src/errors.js';
import { identityOf } from '../../src/process/proc.js';
import { requireTool, runTool } from '../../src/process/run-tool.js';

afterEach(() => vi.unstubAllEnvs());

const base = { timeoutMs: 10_000 };

describe('runTool', () => {
  it('gives output and exit code, whatever the code is', async () => {
    const result = await runTool({ ...base, tool: 'sh', args: ['-c', 'echo out; echo err >&2; exit 3'] });
    expect(result).toMatchObject({ exitCode: 3, stdout: 'out\n', stderr: 'err\n', timedOut: false, truncated: false });
  });

  it('passes arguments and input as they are', async () => {
    const words = ['$HOME', '`id`', 'a b', '*', '--', "'", '"', '\n'];
    const echoed = await runTool({ ...base, tool: 'printf', args: ['%s|', ...words] });
    expect(echoed.stdout).toBe(words.map((word) => `${word}|`).join(''));
    expect((await runTool({ ...base, tool: 'cat', args: [], stdin: 'über\0' })).stdout).toBe('über\0');
  });

  it('keeps only so much output and says so', async () => {
    const result = await runTool({ ...base, tool: 'sh', args: ['-c', 'yes | head -c 1000000; echo done >&2'], outputBytes: 1000 });
    expect(result).toMatchObject({ exitCode: 0, truncated: true, stderr: 'done\n' });
    expect(result.stdout).toHaveLength(1000);
  });

  it('ends the whole group at the time limit, also a child that ignores SIGTERM', async () => {
    const script = 'trap "" TERM; sh -c \'trap "" TERM; echo $$; sleep 60\' & wait; sleep 60';
    const result = await runTool({ tool: 'sh', args: ['-c', script], timeoutMs: 300 });
    expect(result.timedOut).toBe(true);
    expect(result.durationMs).toBeLessThan(8_000);
    await vi.waitFor(() => expect(identityOf(Number(result.stdout))).toBeNull());
  });

  it('ends the group and rejects with the reason when aborted', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('stop')), 100);
    await expect(runTool({ ...base, tool: 'sleep', args: ['60'], signal: controller.signal })).rejects.toThrow('stop');
    await expect(runTool({ ...base, tool: 'true', args: [], signal: controller.signal })).rejects.toThrow('stop');
  });

  it('names the package of a missing tool and the command that installs it', async () => {
    vi.stubEnv('PATH', '/nowhere');
    expect(requireTool('sh')).toMatch(/\/sh$/);
    const failure = await runTool({ ...base, tool: '/nowhere/e2fsck', args: [] }).catch((error) => error);
    expect(failure).toBeInstanceOf(MissingToolError);
    expect(failure.message).toContain('e2fsck');
    expect(failure.advice).toContain('apt-get install --no-install-recommends e2fsprogs');
  });
});
