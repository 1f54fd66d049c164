/** A run that is killed while its appliance works: the next run must end the appliance and remove what libguestfs left. */
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { applianceEnvironment } from '../../src/labs/acceleration.js';
import { removeAbandoned } from '../../src/process/clean-up.js';
import { commandLine, processesWithEnvironment } from '../../src/process/proc.js';
import { requireTool } from '../../src/process/run-tool.js';
import { socketFolders } from '../e2e/traces.js';
import { compileWorkFolder, type Holder, startHolder } from './holder.js';

let temporary: string;
const holders: Holder[] = [];
beforeAll(() => {
  temporary = mkdtempSync(join(tmpdir(), 'sp-'));
  vi.stubEnv('TMPDIR', temporary);
});
afterAll(async () => {
  for (const { process: owner } of holders.filter((holder) => holder.process.exitCode === null && holder.process.signalCode === null)) {
    const exit = once(owner, 'exit');
    owner.kill('SIGKILL');
    await exit;
  }
  await removeAbandoned();
  vi.unstubAllEnvs();
  rmSync(temporary, { recursive: true, force: true });
});

it.each([
  ['the run alone is killed', false],
  ['guestfish is killed with it', true],
])('ends the appliance and removes its folders, also those outside the run folder, when %s', async (_, killGuestfish) => {
  const guestfish = requireTool('guestfish');
  const module = compileWorkFolder(mkdtempSync(join(temporary, 'compiled-')));
  const script = `truncate -s 16M "$TMPDIR/s"; echo 0; exec ${guestfish} --format=raw -a "$TMPDIR/s" run : sleep 600`;
  const holder = await startHolder(module, temporary, { script, env: await applianceEnvironment() });
  holders.push(holder);
  const marked = () => processesWithEnvironment('SNAPPROOF_RUN_FOLDER', holder.folder).map((identity) => commandLine(identity.pid));
  await vi.waitUntil(() => marked().some((words) => words.join(' ').includes('guestfsd.sock') || words.join(' ').includes('virtio-serial')), {
    timeout: 300_000,
    interval: 100,
  });
  const words = marked().flat().join(' ');
  const own = socketFolders().filter((name) => words.includes(name));
  expect(own).toHaveLength(1);
  const strays = join(holder.folder, 'strays');
  await vi.waitUntil(() => existsSync(strays), { timeout: 10_000 });
  const exit = once(holder.process, 'exit');
  holder.process.kill('SIGKILL');
  await exit;
  expect(marked().length).toBeGreaterThanOrEqual(2);
  if (killGuestfish) {
    process.kill(holder.children[0] as number, 'SIGKILL');
    // libguestfs's own guard ends the appliance then, so that no process is left that names the folder.
    await vi.waitUntil(() => marked().length === 0, { timeout: 300_000, interval: 50 });
  }
  expect(await removeAbandoned()).toMatchObject([{ folder: holder.folder, complete: true, left: [] }]);
  expect(marked()).toEqual([]);
  expect(existsSync(holder.folder)).toBe(false);
  expect(socketFolders().filter((name) => own.includes(name))).toEqual([]);
});
