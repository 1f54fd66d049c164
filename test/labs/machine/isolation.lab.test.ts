/** The machine lab keeps what every lab promises; and a guest's QEMU sees nothing of this host and never outlives its run. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { MachineLab, type MachineSession } from '../../../src/labs/machine/index.js';
import { removeAbandoned } from '../../../src/process/clean-up.js';
import { descendantsOf, processesWithEnvironment } from '../../../src/process/proc.js';
import { compileSources } from '../../process/holder.js';
import { describeLabContract, type LabUnderTest } from '../contract.js';
import { type Bench, lookUntil, openBench, PC } from './bench.js';

let temporary: string;
beforeAll(() => {
  temporary = mkdtempSync(join(tmpdir(), 'sp-'));
  vi.stubEnv('TMPDIR', temporary);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(temporary, { recursive: true, force: true });
});

describeLabContract('machine', async (): Promise<LabUnderTest<MachineSession>> => {
  const bench = await openBench('writer');
  writeFileSync(join(bench.workFolder.path, 'children'), ''); // the run's own list of processes; it stays
  return {
    open: (signal) => new MachineLab().open({ ...bench, images: [bench.image], overlayBytes: 2 ** 30 }, signal),
    async use(session) {
      const machine = await session.start({ way: 'boot', description: PC, memory: null, network: false }, AbortSignal.timeout(60_000));
      await machine.run();
      await lookUntil(machine, ({ disks }) => (disks[0]?.writes ?? 0) > 5);
    },
    originals: [bench.image.layers[0]?.path ?? ''],
    workFolder: bench.workFolder.path,
    dispose: () => bench.close(),
  };
});

describe('QEMU', () => {
  let bench: Bench;
  let pid: number;
  beforeAll(async () => {
    bench = await openBench('idle');
    await bench.boot();
    pid = descendantsOf(process.pid).find((each) => readFileSync(`/proc/${each}/comm`, 'utf8').startsWith('qemu-system')) ?? 0;
  });
  afterAll(() => bench.close());

  it('sees the images, its own folder and programs of the host, and nothing else', () => {
    expect(
      readdirSync(`/proc/${pid}/root`)
        .sort()
        .filter((name) => !/^(bin|sbin|lib\w*|usr)$/.test(name)),
    ).toEqual(['dev', 'etc', 'proc', 'tmp']);
    expect(existsSync(`/proc/${pid}/root/etc/passwd`)).toBe(false);
    expect(readdirSync(`/proc/${pid}/root${bench.folder}`)).toEqual(['disk.raw']);
    expect(readdirSync(`/proc/${pid}/root${bench.workFolder.path}`)).toEqual(['machine0']);
    expect(readFileSync(`/proc/${pid}/net/dev`, 'utf8').match(/^\s*\S+:/gm)).toEqual(['    lo:']);
  });

  it('may start no programs, and write no more than the overlay', () => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    expect(status).toMatch(/^Seccomp:\s*2$/m);
    expect(status).toMatch(/^NoNewPrivs:\s*1$/m);
    expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(new RegExp(`^Max file size +${2 ** 30} +${2 ** 30} `, 'm'));
  });
});

it('the trial start says that it is usable', async () => {
  expect(await new MachineLab().probe()).toEqual({ usable: true, why: expect.stringMatching(/^a machine started in \d+\.\d s$/) });
});

const OWNER = `
  const { openBench } = await import(process.env.BENCH_MODULE);
  const bench = await openBench('writer');
  await bench.boot();
  console.log(JSON.stringify({ run: bench.workFolder.path, bench: bench.folder }));
  setInterval(() => undefined, 1000);
`;

it('a run that is killed leaves no QEMU, and the next one removes its overlays', async () => {
  const compiled = mkdtempSync(join(temporary, 'compiled-'));
  compileSources(compiled, ['src/errors.ts', 'src/bytes', 'src/process', 'src/labs', 'test/labs/machine/bench.ts', 'test/labs/machine/sectors.ts']);
  const env = { ...process.env, BENCH_MODULE: join(compiled, 'test/labs/machine/bench.js') };
  const owner = spawn(process.execPath, ['--input-type=module', '-e', OWNER], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(owner.stdout, 'data');
  const { run, bench } = JSON.parse(String(line));
  expect(processesWithEnvironment('SNAPPROOF_RUN_FOLDER', run).length).toBeGreaterThan(0);
  expect(existsSync(join(run, 'machine0/disk0.qcow2'))).toBe(true);
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  for (let waited = 0; processesWithEnvironment('SNAPPROOF_RUN_FOLDER', run).length > 0 && waited < 5_000; waited += 50) await sleep(50);
  expect(processesWithEnvironment('SNAPPROOF_RUN_FOLDER', run)).toEqual([]);
  expect(await removeAbandoned()).toMatchObject([{ folder: run, complete: true, left: [] }]);
  expect(existsSync(run)).toBe(false);
  rmSync(bench, { recursive: true });
});
