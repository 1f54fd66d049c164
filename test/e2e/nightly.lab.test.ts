/** The steps of the README, as they stand there: from a folder of images to a nightly drill and a prune that waits for the proof. */
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PACKAGE_FOLDER } from '../../src/version.js';
import { CLI, requireBuild } from './cli.js';
import { makeGuestDisk } from './points.js';

const README = readFileSync(join(PACKAGE_FOLDER, 'README.md'), 'utf8');
const DAYS = ['2026-11-20', '2026-11-26'];

let place: string;
let images: string;
beforeAll(async () => {
  requireBuild();
  place = mkdtempSync(join(tmpdir(), 'sn-'));
  images = join(place, 'images');
  for (const day of DAYS) {
    mkdirSync(join(images, 'web', day), { recursive: true });
    await makeGuestDisk(join(images, 'web', day, 'disk.raw'), { 'etc/hostname': 'web', 'srv/day': day });
  }
  mkdirSync(join(place, 'bin'));
  program('snapproof', `exec ${process.execPath} ${CLI} "$@"`);
  program('systemctl', `echo "$@" >> ${join(place, 'systemctl')}`);
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

function program(name: string, text: string): void {
  writeFileSync(join(place, 'bin', name), `#!/bin/sh\n${text}\n`);
  chmodSync(join(place, 'bin', name), 0o755);
}

/** Lines of the shell blocks of a section, without their comments. */
function steps(section: string): string[][] {
  const text = README.split(`## ${section}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...text.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) =>
    block
      .trim()
      .split('\n')
      .map((line) => line.replace(/ {2,}#.*$/, '')),
  );
}

function step(line: string): Promise<{ code: number; text: string }> {
  const here = line.replaceAll('/srv/images', images).replaceAll(' /etc/', ` ${place}/etc/`).replaceAll('src/setup', join(PACKAGE_FOLDER, 'src/setup'));
  const env = { ...process.env, PATH: `${join(place, 'bin')}:${process.env.PATH}`, XDG_STATE_HOME: join(place, 'state'), NO_COLOR: '1' };
  return new Promise((resolve) => {
    execFile('sh', ['-c', here], { cwd: place, env, timeout: 500_000 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? 1) : 0, text: stdout + stderr });
    });
  });
}

it('leads from a folder of images to a nightly timer and a prune', async () => {
  const [night = [], service = []] = steps('Every night');
  expect([night.length, service.length]).toEqual([7, 4]);
  for (const line of night) {
    // Installing it for everybody is not for a test.
    if (line.startsWith('npm ')) continue;
    const { code, text } = await step(line);
    expect([line, code, text]).toEqual([line, 0, text]);
    // Controls have a test of their own.
    const policy = join(place, 'nightly.yaml');
    if (line.startsWith('snapproof init')) writeFileSync(policy, readFileSync(policy, 'utf8').replace('controls: true', 'controls: false'));
  }
  expect(readFileSync(join(place, 'night.html'), 'utf8')).toMatch(/PASSED/i);
  expect(DAYS.map((day) => existsSync(join(images, 'web', day)))).toEqual([true, true]);

  mkdirSync(join(place, 'etc/systemd/system'), { recursive: true });
  for (const line of service) expect(await step(line)).toEqual({ code: 0, text: '' });
  expect(readFileSync(join(place, 'systemctl'), 'utf8')).toBe('daemon-reload\nenable --now snapproof-drill@nightly.timer\n');
  expect(existsSync(join(place, 'etc/systemd/system/snapproof-drill@.timer'))).toBe(true);
});

it('prunes what is older than the proven one, and nothing else', async () => {
  const line = steps('Every night')[0]?.at(-1) ?? '';
  const { code, text } = await step(line.replace('--keep-daily 7', '--keep-last 1'));
  expect([code, text]).toEqual([0, text]);
  expect(DAYS.map((day) => existsSync(join(images, 'web', day)))).toEqual([false, true]);
});
