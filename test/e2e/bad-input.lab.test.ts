/** Bad input through the built program: a clear message, the exit code of the contract, untouched originals, nothing left behind. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { problemsOfRun } from '../../src/ledger/index.js';
import type { VerificationRecord } from '../../src/types.js';
import { makeImage } from '../images/make.js';
import { cutInHalf, flatVmdk, manifest, qcow2, withDataFile } from './bad-images.js';
import { type CliRun, requireBuild, runCli } from './cli.js';
import { fingerprint, leftovers } from './traces.js';

beforeAll(requireBuild);

const SECRET = 'secret-of-the-host-7c1d';
let place: string;
/** The restore point. */
let point: string;
let temporary: string;
/** Outside the restore point's folder: what a hostile header may point at. */
let secret: string;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'sb-'));
  point = join(place, 'point');
  temporary = join(place, 't');
  secret = join(place, 'secret');
  mkdirSync(point);
  mkdirSync(temporary);
  writeFileSync(secret, `${SECRET}\n`.repeat(400));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

/** Runs verify and holds what is true of every run: nothing written to the originals, nothing left. */
async function verify(args: string[]): Promise<CliRun> {
  const before = await fingerprint(point);
  const run = await runCli(['verify', '--state', join(place, 'state'), ...args], { env: { TMPDIR: temporary } });
  expect(await fingerprint(point), 'originals').toEqual(before);
  expect(leftovers(temporary), 'left behind').toEqual([]);
  expect(run.stderr).not.toMatch(/should not have happened|^\s+at /m);
  return run;
}

/** The one record of a run with `--json`; the document must be the only thing on standard output and fit the shipped schema. */
function recordOf(run: CliRun): VerificationRecord {
  const document = JSON.parse(run.stdout);
  expect(problemsOfRun(document)).toEqual([]);
  expect(document.records).toHaveLength(1);
  return document.records[0];
}

interface UsageCase {
  name: string;
  make?: () => void;
  args?: () => string[];
  says: RegExp;
}

const USAGE: UsageCase[] = [
  { name: 'a path that does not exist', args: () => [join(place, 'nowhere')], says: /there is nothing at .*nowhere[\s\S]*Name an image/ },
  { name: 'no path at all', args: () => [], says: /missing required argument 'path'/ },
  { name: 'an empty folder', says: /there is nothing in .*point\nName an image/ },
  { name: 'a folder without images', make: () => writeFileSync(join(point, 'readme.txt'), 'hello'), says: /none of the 1 files in .*point is a disk image/ },
  {
    name: 'a manifest with an unknown field',
    make: () => manifest(point, [{ path: 'a.raw' }], { dicks: [] }),
    says: /restore-point\.json.*line \d+.*unknown field "dicks"/,
  },
  {
    name: 'a manifest that is no JSON',
    make: () => writeFileSync(join(point, 'restore-point.json'), '{\n"disks": [\n'),
    says: /restore-point\.json, line 2: not valid JSON/,
  },
  {
    name: 'a manifest that names /etc/passwd',
    make: () => manifest(point, [{ path: '/etc/passwd', format: 'raw' }]),
    says: /restore-point\.json names "\/etc\/passwd", which lies outside/,
  },
  {
    name: 'a manifest that names ../secret',
    make: () => manifest(point, [{ path: '../secret', format: 'raw' }]),
    says: /"\.\.\/secret", which lies outside its folder/,
  },
  { name: 'an unknown check in --only', args: () => ['--only', 'no/such', point], says: /no check or family "no\/such"/ },
  { name: 'a depth that is none', args: () => ['--depth', 'nonsense', point], says: /'nonsense' is invalid\. Allowed choices are static, recovery/ },
  { name: 'an unknown option', args: () => ['--dept', 'static', point], says: /unknown option '--dept'/ },
  {
    name: 'a policy with an unknown key',
    make: () => writeFileSync(join(place, 'policy.yaml'), 'depth: static\nonlly: [image]\n'),
    args: () => ['--policy', join(place, 'policy.yaml'), point],
    says: /policy\.yaml.*line 2.*unknown field "onlly" \(did you mean "only"\?\)/,
  },
  { name: 'a policy that is not there', args: () => ['--policy', join(place, 'none.yaml'), point], says: /none\.yaml does not exist/ },
  {
    name: 'a report folder that cannot be made',
    make: () => qcow2(point, 'disk.qcow2', {}),
    args: () => ['--report', join(secret, 'report'), point],
    says: /report cannot be written to .*secret\/report[\s\S]*Name a folder you may write with --report/,
  },
];

describe('what is wrong with the call: exit 2, before anything starts', () => {
  it.each(USAGE)('$name', async ({ make, args, says }) => {
    make?.();
    const run = await verify(args?.() ?? [point]);
    expect(run.stderr).toMatch(says);
    expect(run).toMatchObject({ exitCode: 2, stdout: '' });
  });
});

interface FailedCase {
  name: string;
  make: () => void | Promise<void>;
  path?: string;
  says: RegExp;
}

const backing = (parts: { backing: string; backingFormat?: string }) => () => qcow2(point, 'disk.qcow2', { backingFormat: 'raw', ...parts });
const OUTSIDE = /lies outside the folders that belong to the restore point, which is refused\. If that file belongs to the backup, put it/;

const DESCRIPTOR = /the VMDK is only a descriptor that names other files, which is refused\. Export it/;

const FAILED: FailedCase[] = [
  {
    name: 'a zero-length image',
    make: () => writeFileSync(join(point, 'disk.qcow2'), ''),
    says: /disk\.qcow2: the file is empty \(0 bytes\)\. The backup did not write it/,
  },
  { name: 'a truncated qcow2', make: () => cutInHalf(point, 'qcow2'), says: /disk\.qcow2 is cut off: it is \d+ bytes long/ },
  { name: 'a truncated vmdk', make: () => cutInHalf(point, 'vmdk'), says: /disk\.vmdk is cut off/ },
  { name: 'a truncated vhdx', make: () => cutInHalf(point, 'vhdx'), says: /disk\.vhdx is cut off/ },
  {
    name: 'qcow2 stated as vmdk',
    make: () => {
      qcow2(point, 'd', {});
      manifest(point, [{ path: 'd', format: 'vmdk' }]);
    },
    says: /stated to be vmdk, but its header says qcow2\. State the right format/,
  },
  {
    name: 'vmdk stated as qcow2',
    make: async () => {
      await makeImage(point, 'd', 'vmdk');
      manifest(point, [{ path: 'd', format: 'qcow2' }]);
    },
    says: /stated to be qcow2, but its header says vmdk\. State the right format/,
  },
  {
    name: 'a missing member of a chain',
    make: backing({ backing: 'base.raw' }),
    says: /the backing file ".*base\.raw" is not there\. The backup is incomplete/,
  },
  { name: 'a manifest naming a missing disk', make: () => manifest(point, [{ path: 'gone.qcow2', format: 'qcow2' }]), says: /gone\.qcow2" is not there/ },
  {
    name: 'a cyclic chain',
    make: () => {
      qcow2(point, 'a.qcow2', { backing: 'b.qcow2', backingFormat: 'qcow2' });
      qcow2(point, 'b.qcow2', { backing: 'a.qcow2', backingFormat: 'qcow2' });
    },
    says: /leads in a circle, back to/,
  },
  { name: 'backing file /etc/passwd', make: backing({ backing: '/etc/passwd' }), says: OUTSIDE },
  { name: 'backing file by its absolute path', make: () => backing({ backing: secret })(), says: OUTSIDE },
  { name: 'backing file by ../', make: backing({ backing: '../secret' }), says: OUTSIDE },
  {
    name: 'backing file by a symbolic link',
    make: () => {
      symlinkSync(secret, join(point, 'base.raw'));
      backing({ backing: 'base.raw' })();
    },
    says: OUTSIDE,
  },
  {
    name: 'backing json:',
    make: () => backing({ backing: `json:{"driver":"raw","file":{"driver":"file","filename":"${secret}"}}` })(),
    says: /is not a plain file name, which is refused/,
  },
  { name: 'backing nbd:', make: backing({ backing: 'nbd://127.0.0.1:10809/x' }), says: /is not a plain file name, which is refused/ },
  {
    name: 'an external data file',
    make: () => {
      copyFileSync(secret, join(place, 'copy'));
      withDataFile(point, join(place, 'copy'));
    },
    says: /external data file|keeps its data in another file/,
  },
  {
    name: 'a VMDK with a FLAT extent /etc/passwd',
    make: () => flatVmdk(point, '/etc/passwd'),
    says: DESCRIPTOR,
  },
  { name: 'a VMDK with a FLAT extent outside', make: () => flatVmdk(point, secret), says: DESCRIPTOR },
  {
    name: 'a header that promises 1 PiB in one table entry',
    make: () => qcow2(point, 'disk.qcow2', { virtualSizeBytes: 2n ** 50n }),
    says: /L1 table .* too small for the size of the disk/,
  },
];

describe('what is wrong with the backup: a failed record, exit 1', () => {
  it.each(FAILED)('$name', async ({ make, path, says }) => {
    await make();
    const target = path ?? point;
    utimesSync(secret, new Date(1), new Date());
    const run = await verify(['--json', target]);
    const record = recordOf(run);
    expect(run.exitCode).toBe(1);
    expect(record.verdict).toBe('failed');
    expect(record.reasons.join('\n')).toMatch(says);
    expect(record.cleanup).toMatchObject({ complete: true });
    expect(statSync(secret).atimeMs, 'the file outside was read').toBe(1);
    const said = run.stdout + run.stderr + readFileSync(join(place, 'state', 'ledger.sqlite'), 'latin1');
    expect(said).not.toContain(SECRET);
    expect(said).not.toContain('root:x:0:0');
    expect(run.peakBytes).toBeLessThan(300 * 2 ** 20);
    expect(run.durationMs).toBeLessThan(30_000);
  });

  it('the proof of not reading holds here: a read is seen in the access time', ({ skip }) => {
    utimesSync(secret, new Date(1), new Date());
    readFileSync(secret);
    if (statSync(secret).atimeMs === 1) skip('this file system keeps no access times (noatime)');
  });

  it('says it in plain words, with what to do, where people read it', async () => {
    writeFileSync(join(point, 'disk.qcow2'), '');
    const run = await verify([point]);
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toMatch(/^FAILED: [\s\S]*the file is empty \(0 bytes\)[\s\S]*What to do/);
  });
});
