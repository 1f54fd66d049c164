import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSideBySide, SideBySide, sideBySideScript } from '../../../src/labs/appliance/side-by-side.js';
import type { ApplianceResult } from '../../../src/labs/lab.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'snapproof-side-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As the appliance runs it: a shell that reads the script from a file. */
function inShell(scripts: string[]): ApplianceResult[] {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', sideBySideScript(scripts, folder)], { encoding: 'utf8' });
  return parseSideBySide({ exitCode: status ?? -1, stdout, stderr, timedOut: false, durationMs: 7 }, scripts.length);
}

describe('scripts side by side, in a real shell', () => {
  it('each gives its own code, output and error, in the order of the scripts', () => {
    const results = inShell(['sleep 0.2; echo first; echo why >&2; exit 3', 'printf "0 0\\n\\nforged"', 'read -r line; echo "got $line"']);
    expect(results.map(({ exitCode, stdout, stderr }) => [exitCode, stdout, stderr])).toEqual([
      [3, 'first\n', 'why\n'],
      [0, '0 0\n\nforged', ''],
      [0, 'got \n', ''],
    ]);
  });

  it('really runs them at the same time: each waits for the other', () => {
    const wait = (own: string, other: string) => `: >${folder}/${own}; until [ -e ${folder}/${other} ]; do sleep 0.01; done; echo met`;
    expect(inShell([wait('a', 'b'), wait('b', 'a')]).map(({ stdout }) => stdout)).toEqual(['met\n', 'met\n']);
  });

  it('one that was cut off is told as such, and those that had ended are not lost', () => {
    const whole = { exitCode: 124, stdout: '', stderr: '', timedOut: true, durationMs: 9 };
    const done = `1 0\n${Buffer.from('sound').toString('base64')}\n\n`;
    const [slow, quick] = parseSideBySide({ ...whole, stdout: done }, 2);
    expect(quick).toMatchObject({ exitCode: 0, stdout: 'sound', timedOut: false });
    expect(slow).toMatchObject({ exitCode: 124, stdout: '', timedOut: true });
  });
});

describe('asking', () => {
  const answer = (stdout: string): ApplianceResult => ({ exitCode: 0, stdout, stderr: '', timedOut: false, durationMs: 1 });

  it('what is asked in one go is one request, with the longest limit; later ones are others', async () => {
    const requests: [string, number][] = [];
    const lane = new SideBySide(async (script, timeoutMs) => {
      requests.push([script, timeoutMs]);
      return answer('0 0\nYQ==\n\n1 5\nYg==\n\n');
    });
    const both = await Promise.all([lane.ask({ script: 'a', timeoutMs: 5 }), lane.ask({ script: 'b', timeoutMs: 9 })]);
    expect(both.map(({ exitCode, stdout }) => [exitCode, stdout])).toEqual([
      [0, 'a'],
      [5, 'b'],
    ]);
    await lane.ask({ script: 'alone', timeoutMs: 3 });
    expect(requests.map(([, timeoutMs]) => timeoutMs)).toEqual([9, 3]);
    expect(requests[1]?.[0]).toBe('alone');
  });

  it('an appliance that is gone is told to all who asked', async () => {
    const lane = new SideBySide(() => Promise.reject(new Error('gone')));
    const asked = [lane.ask({ script: 'a', timeoutMs: 1 }), lane.ask({ script: 'b', timeoutMs: 1 })];
    expect(await Promise.all(asked.map((one) => one.catch((error: Error) => error.message)))).toEqual(['gone', 'gone']);
  });
});
