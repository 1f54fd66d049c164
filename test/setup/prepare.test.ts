/** The set-up on a machine that lacks something: it must say what, give the command, and stop with the right exit code. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;
let bin: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sp-prepare-'));
  bin = join(folder, 'bin');
  mkdirSync(bin);
  mkdirSync(join(folder, 'src'));
  cpSync(join(PROJECT, 'src/setup'), join(folder, 'src/setup'), { recursive: true });
  symlinkSync(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
  for (const name of ['package.json', 'package-lock.json']) cpSync(join(PROJECT, name), join(folder, name));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program that writes down how it was called. */
function fake(name: string, script = '', exitCode = 0): void {
  writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} $*" >> ${folder}/calls\n${script}\nexit ${exitCode}\n`, { mode: 0o755 });
}

function needPackage(name: string, tool: string): void {
  const item = { name, neededFor: 'a test of the set-up', groups: ['build'], tools: [tool] };
  writeFileSync(join(folder, 'src/setup/packages.json'), JSON.stringify({ packages: [item] }));
}

function prepare(...args: string[]) {
  return execa(process.execPath, [join(folder, 'src/setup/prepare.mjs'), ...args], { reject: false, stdin: 'ignore', env: { PATH: `${bin}:/usr/bin:/bin` } });
}

const calls = () => readFileSync(join(folder, 'calls'), 'utf8').split('\n').filter(Boolean);

describe('prepare', () => {
  it('says what it will install, installs it without a question, and builds only once', async () => {
    needPackage('a-package', 'a-tool-of-the-test');
    fake('sudo', 'while [ $# -gt 0 ]; do case "$1" in -*) shift;; *) break;; esac; done; exec "$@"');
    fake('apt-get', `case "$*" in *install*) printf '#!/bin/sh\\n' > ${bin}/a-tool-of-the-test; chmod +x ${bin}/a-tool-of-the-test;; esac`);
    fake('npm', `mkdir -p ${folder}/dist`);
    const first = await prepare();
    expect(first.stderr).toMatch(/a-package +a test of the set-up/);
    expect(first).toMatchObject({ exitCode: 0, stdout: '' });
    expect(calls().filter((call) => call.startsWith('apt-get'))).toEqual([
      'apt-get -q -y update',
      'apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends a-package',
    ]);
    expect(calls()).toContain('npm run --silent build');
    const before = calls().length;
    const second = await prepare();
    expect(second.exitCode).toBe(0);
    expect(second.stderr.match(/nothing to do/g)).toHaveLength(4);
    expect(calls()).toHaveLength(before);
  });

  it('builds again when a source changed', async () => {
    needPackage('present', 'sh');
    fake('npm', `mkdir -p ${folder}/dist`);
    await prepare();
    writeFileSync(join(folder, 'src/new.ts'), 'export const added = 1;\n');
    expect((await prepare()).stderr).toContain('build: built');
    expect(calls()).toEqual(['npm run --silent build', 'npm run --silent build']);
  });

  it('gives apt-get no chance to be believed: what is still missing afterwards is a failure', async () => {
    needPackage('a-package', 'a-tool-of-the-test');
    fake('sudo', 'while [ $# -gt 0 ]; do case "$1" in -*) shift;; *) break;; esac; done; exec "$@"');
    fake('apt-get');
    const result = await prepare();
    expect(result.exitCode).toBe(4);
    expect(result.stderr).toContain('still missing: a-package');
  });

  it('stops when the installation or the build fails, with the command', async () => {
    needPackage('a-package', 'a-tool-of-the-test');
    fake('sudo', 'while [ $# -gt 0 ]; do case "$1" in -*) shift;; *) break;; esac; done; exec "$@"');
    fake('apt-get', '', 100);
    const result = await prepare();
    expect(result.exitCode).toBe(4);
    expect(result.stderr).toContain('failed with exit code 100');
    needPackage('present', 'sh');
    fake('npm', '', 1);
    expect(await prepare()).toMatchObject({ exitCode: 4, stderr: expect.stringContaining('The build failed') });
  });

  it.runIf(process.getuid?.() === 0)('prints the command and exits with 2 where it may not install', async () => {
    needPackage('a-package', 'a-tool-of-the-test');
    fake('sudo', '', 1);
    fake('apt-get');
    const env = { PATH: `${bin}:/usr/bin:/bin` };
    await execa('chmod', ['-R', 'a+rX', folder]);
    const args = ['--reuid=65534', '--regid=65534', '--clear-groups', '--', process.execPath, join(folder, 'src/setup/prepare.mjs')];
    const result = await execa('setpriv', args, { reject: false, stdin: 'ignore', env });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('sudo apt-get update && sudo apt-get install --no-install-recommends a-package');
  });

  it('refuses an unknown verb', async () => {
    expect(await prepare('strat')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('Unknown: strat') });
  });
});
