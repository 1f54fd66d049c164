/** Every hook is run as its backup program runs it, with the built program behind it; restic and borgmatic run for real. */
import { execFile } from 'node:child_process';
import { access, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Spool } from '../../src/gate/spool/index.js';
import { CLI, requireBuild } from '../e2e/cli.js';
import { makeWorld, recordOf, type World } from '../gate/world.js';

const HOOKS = resolve(import.meta.dirname, '../../src/hooks');
const exec = promisify(execFile);

let world: World;
let point: string;
beforeAll(requireBuild);
beforeEach(async () => {
  world = await makeWorld(new Date());
  point = await world.point('db1-27', { takenAt: new Date(Date.now() - 3_600_000).toISOString() });
});

interface Ran {
  code: number;
  out: string;
  err: string;
}

async function run(program: string, args: string[], env: Record<string, string> = {}): Promise<Ran> {
  const own = { SNAPPROOF: `${process.execPath} ${CLI}`, SNAPPROOF_STATE: world.state, HOME: world.folder, ...env };
  return exec(program, args, { env: { ...process.env, ...own }, cwd: world.folder }).then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout, err: stderr }),
    ({ code, stdout, stderr }) => ({ code: Number(code), out: String(stdout), err: String(stderr) }),
  );
}

const hook = (name: string, args: string[], env: Record<string, string> = {}): Promise<Ran> => run(join(HOOKS, `${name}.sh`), args, env);
const queue = async (): Promise<{ path: string; by: string }[]> => (await new Spool(world.state).list()).entries.map(({ path, by }) => ({ path, by }));
const prove = async (): Promise<void> => world.append(await recordOf(point, { startedAt: new Date().toISOString() }));
const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

describe('guard.sh', () => {
  it('runs the command only for what is proven, and passes the answer on', async () => {
    const made = join(world.folder, 'made by it');
    expect(await hook('guard', [point, '--', 'touch', made])).toMatchObject({ code: 1, err: expect.stringContaining('the gate is shut') });
    expect(await isThere(made)).toBe(false);
    await prove();
    expect(await hook('guard', [point, 'db1', '--', 'touch', made])).toMatchObject({ code: 0 });
    expect(await isThere(made)).toBe(true);
    expect(await hook('guard', ['db1', 'web1', '--', 'true'])).toMatchObject({ code: 1 });
    expect(await hook('guard', ['db1', '--', 'sh', '-c', 'exit 7'])).toMatchObject({ code: 7 });
    expect(await hook('guard', ['db1', '--', 'true'], { SNAPPROOF_GATE: '--depth boot --max-age 7d' })).toMatchObject({ code: 1 });
  });
  it.each([[['db1']], [['db1', '--']], [['--', 'touch', 'x']], [[]]])('never runs anything for %j', async (args) => {
    await prove();
    expect(await hook('guard', args)).toMatchObject({ code: 2 });
    expect(await isThere(join(world.folder, 'x'))).toBe(false);
  });
  it('stays shut when snapproof itself is not there', async () => {
    expect((await hook('guard', ['db1', '--', 'touch', 'x'], { SNAPPROOF: '/nowhere/snapproof' })).code).not.toBe(0);
    expect(await isThere(join(world.folder, 'x'))).toBe(false);
  });
});

describe('vzdump.sh', () => {
  const vzdump = (args: string[], env: Record<string, string>): Promise<Ran> =>
    hook('vzdump', args, { VMTYPE: 'qemu', DUMPDIR: '/dump', STOREID: 'local', HOSTNAME: 'db1', ...env });

  it('puts the archive of a guest into the queue when it is finished', async () => {
    const archive = join(world.folder, 'vzdump-qemu-100-2026_11_27-01_00_00.vma.zst');
    await writeFile(archive, 'archive');
    for (const phase of ['job-init', 'job-start', 'job-end']) expect(await vzdump([phase], {})).toMatchObject({ code: 0 });
    for (const phase of ['backup-start', 'pre-stop', 'pre-restart', 'post-restart', 'log-end', 'backup-abort'])
      expect(await vzdump([phase, 'snapshot', '100'], { TARGET: archive })).toMatchObject({ code: 0 });
    expect(await queue()).toEqual([]);
    expect(await vzdump(['backup-end', 'snapshot', '100'], { TARGET: archive })).toMatchObject({ code: 0 });
    expect(await queue()).toEqual([{ path: archive, by: 'vzdump' }]);
  });
  it('never fails a backup, unless it is told to', async () => {
    const gone = { TARGET: join(world.folder, 'gone.vma') };
    expect(await vzdump(['backup-end', 'snapshot', '100'], gone)).toMatchObject({ code: 0, err: expect.stringContaining('could not put into the queue') });
    expect(await vzdump(['backup-end', 'snapshot', '100'], { ...gone, SNAPPROOF_STRICT: '1' })).toMatchObject({ code: 1 });
    expect(await vzdump(['backup-end', 'snapshot', '100'], { STOREID: 'pbs' })).toMatchObject({ code: 0, err: expect.stringContaining('lies in no file') });
    expect(await vzdump(['backup-end', 'snapshot', '101'], { TARGET: point, VMTYPE: 'lxc' })).toMatchObject({ code: 0 });
    expect(await queue()).toEqual([]);
  });
});

describe('bareos.sh', () => {
  it('puts into the queue what ended well, and asks the gate', async () => {
    expect(await hook('bareos', ['enqueue', 'Fatal Error', point])).toMatchObject({ code: 0 });
    expect(await queue()).toEqual([]);
    expect(await hook('bareos', ['enqueue', 'OK', point])).toMatchObject({ code: 0 });
    expect(await queue()).toEqual([{ path: point, by: 'bareos' }]);
    expect(await hook('bareos', ['gate', 'db1'])).toMatchObject({ code: 1 });
    await prove();
    expect(await hook('bareos', ['gate', 'db1'])).toMatchObject({ code: 0 });
    for (const args of [[], ['gate'], ['enqueue', 'OK'], ['other', 'x']]) expect((await hook('bareos', args)).code).toBe(2);
  });
});

describe('libvirt.sh', () => {
  it('takes finished images only', async () => {
    const open = await world.point('open');
    await writeFile(join(open, 'vda.full.data.partial'), '');
    const streams = await world.point('streams');
    await writeFile(join(streams, 'vda.full.data'), '');
    expect(await hook('libvirt', [open, streams, point])).toMatchObject({ code: 1, err: expect.stringContaining('virtnbdrestore') });
    expect(await queue()).toEqual([{ path: point, by: 'libvirt' }]);
  });
});

describe('find.sh', () => {
  it('finds each new manifest once, whatever its folder is called', async () => {
    const backups = join(world.folder, 'backups');
    const odd = await world.point("it's $(odd)\nname");
    expect(await hook('find', [backups])).toMatchObject({ code: 0 });
    expect((await queue()).map(({ path }) => path).sort()).toEqual([point, odd].sort());
    await exec('rm', ['-r', join(world.state, 'queue')]);
    expect(await hook('find', [backups])).toMatchObject({ code: 0 });
    expect(await queue()).toEqual([]);
    const late = await world.point('late');
    await exec('touch', ['-d', '2020-01-01', join(late, 'restore-point.json')]);
    expect(await hook('find', [backups])).toMatchObject({ code: 0 });
    expect(await queue()).toEqual([{ path: late, by: 'find' }]);
  });
  it('looks again for what it could not put in', async () => {
    const backups = join(world.folder, 'backups');
    expect(await hook('find', [backups], { SNAPPROOF: 'false' })).toMatchObject({ code: 1 });
    expect(await hook('find', [backups])).toMatchObject({ code: 0 });
    expect(await queue()).toHaveLength(1);
    expect((await readdir(backups)).sort()).toEqual(['.snapproof-seen', 'db1-27']);
  });
});

describe('restic, for real', () => {
  it('backs up, forgets only behind an open gate, and what it restores is proven', async (context) => {
    if (!(await isThere('/usr/bin/restic'))) return context.skip('restic (Debian package restic) is not there');
    const env = { RESTIC_REPOSITORY: join(world.folder, 'repository'), RESTIC_PASSWORD: 'secret', RESTIC_CACHE_DIR: join(world.folder, 'cache') };
    const restic = (...args: string[]): Promise<Ran> => run('restic', args, env);
    const snapshots = async (): Promise<number> => (JSON.parse((await restic('snapshots', '--json')).out) as unknown[]).length;
    expect(await restic('init')).toMatchObject({ code: 0 });
    for (let n = 0; n < 3; n++) expect(await restic('backup', point)).toMatchObject({ code: 0 });
    expect(await hook('restic', [point])).toMatchObject({ code: 0 });
    expect(await queue()).toEqual([{ path: point, by: 'restic' }]);

    const forget = ['db1', '--', 'restic', 'forget', '--keep-last', '1', '--prune'];
    expect(await hook('guard', forget, env)).toMatchObject({ code: 1 });
    expect(await snapshots()).toBe(3);
    await prove();
    expect(await hook('guard', forget, env)).toMatchObject({ code: 0 });
    expect(await snapshots()).toBe(1);

    const target = join(world.folder, 'restored');
    expect(await restic('restore', 'latest', '--target', target)).toMatchObject({ code: 0 });
    expect(await hook('guard', [join(target, point), '--', 'true'])).toMatchObject({ code: 0 });
    await writeFile(join(target, point, 'disk0.raw'), 'X', { flag: 'r+' });
    expect(await hook('guard', [join(target, point), '--', 'true'])).toMatchObject({ code: 1 });
  });
});

describe('borgmatic, for real', () => {
  it('calls the hooks, and does not prune while the gate is shut', async (context) => {
    if (!(await isThere('/usr/bin/borgmatic')) || !(await isThere('/usr/bin/borg')))
      return context.skip('borgmatic (Debian packages borgmatic, borgbackup) is not there');
    const repository = join(world.folder, 'borg');
    const env = { BORG_BASE_DIR: world.folder, BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes' };
    const config = join(world.folder, 'borgmatic.yaml');
    const script = join(HOOKS, 'borgmatic.sh');
    await writeFile(
      config,
      [
        'location:',
        `    source_directories: [${JSON.stringify(point)}]`,
        `    repositories: [${JSON.stringify(repository)}]`,
        'storage:',
        '    archive_name_format: "{now:%Y-%m-%dT%H:%M:%S.%f}"',
        'retention:',
        '    keep_yearly: 1',
        '    prefix: ""',
        'hooks:',
        '    after_backup:',
        `        - ${script} enqueue ${point}`,
        '    before_prune:',
        `        - ${script} gate db1`,
        '',
      ].join('\n'),
    );
    await mkdir(repository);
    expect(await run('borg', ['init', '--encryption=none', repository], env)).toMatchObject({ code: 0 });
    const borgmatic = (...args: string[]): Promise<Ran> => run('borgmatic', ['-c', config, '--syslog-verbosity', '-1', ...args], env);
    const archives = async (): Promise<number> =>
      (JSON.parse((await run('borg', ['list', '--json', repository], env)).out) as { archives: unknown[] }).archives.length;

    for (let n = 0; n < 2; n++) expect(await borgmatic('create')).toMatchObject({ code: 0 });
    expect(await queue()).toEqual([{ path: point, by: 'borgmatic' }]);
    const shut = await borgmatic('prune');
    expect([shut.code, `${shut.out}${shut.err}`]).toEqual([1, expect.stringContaining('the gate is shut for db1')]);
    expect(await archives()).toBe(2);
    await prove();
    expect(await borgmatic('prune')).toMatchObject({ code: 0 });
    expect(await archives()).toBe(1);
  });
});
