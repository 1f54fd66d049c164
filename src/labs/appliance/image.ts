/**
 * The appliance as snapproof starts it: what supermin makes of the host's packages, as libguestfs would, with our own init and runner of scripts in it.
 * A "fixed appliance" of libguestfs: https://libguestfs.org/libguestfs-make-fixed-appliance.1.html
 */
import { createHash } from 'node:crypto';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { machine } from 'node:os';
import { dirname, join } from 'node:path';
import { LabError } from '../../errors.js';
import { runTool, type ToolResult } from '../../process/run-tool.js';
import { installCommand, matchingFiles } from '../../setup/debian.mjs';
import { INIT_SCRIPT, RUNNER_PATH, RUNNER_SCRIPT } from './init.js';
import { archiveOf, readEntry, trimModules } from './initrd.js';
import { unpackKernel } from './kernel.js';

const BUILD_TIMEOUT_MS = 600_000;
/** Changes when what is done to the appliance changes and the texts below do not. */
const VERSION = 3;
const DPKG_STATUS = '/var/lib/dpkg/status';
/** What a build was left with when it was killed, and appliances of older packages, go after this time. */
const STALE_MS = 60 * 60_000;
/** By libguestfs's rule a folder is a fixed appliance when this file is in it. */
const SEAL = 'README.fixed';

const building = new Map<string, Promise<string>>();

/**
 * The folder to hand to libguestfs as LIBGUESTFS_PATH; made on first use, and anew when the host's packages have changed.
 * Two that build at once do not disturb each other: each makes its own, and the first that is whole stays.
 * @param cache folder for the appliances of this user. @throws LabError, MissingToolError
 */
export function applianceImage(cache: string): Promise<string> {
  const known = building.get(cache) ?? findOrBuild(cache);
  building.set(cache, known);
  known.catch(() => building.delete(cache));
  return known;
}

async function findOrBuild(cache: string): Promise<string> {
  const parts = matchingFiles('/usr/lib/*/guestfs/supermin.d')[0];
  if (parts === undefined) {
    throw new LabError({
      code: 'appliance.parts',
      message: 'the parts of the appliance are not installed (/usr/lib/*/guestfs/supermin.d)',
      advice: installCommand(['libguestfs-tools']),
    });
  }
  const folder = join(cache, `image-${await keyOf(parts)}`);
  if (await exists(join(folder, SEAL))) return folder;
  await mkdir(cache, { recursive: true, mode: 0o700 });
  await removeStale(cache);
  return build(parts, folder);
}

/** Everything the appliance is made of: the packages installed, libguestfs's list of them, the kernels, and our init. */
async function keyOf(parts: string): Promise<string> {
  const hash = createHash('sha256').update(`${VERSION} ${INIT_SCRIPT} ${RUNNER_SCRIPT}`);
  const lists = (await readdir(parts)).sort().map((name) => join(parts, name));
  for (const path of [DPKG_STATUS, ...lists, ...matchingFiles('/boot/vmlinuz-*')]) {
    const found = await stat(path).catch(() => null);
    hash.update(`${path} ${found?.size} ${found?.mtimeMs}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

async function build(parts: string, folder: string): Promise<string> {
  const draft = await mkdtemp(join(dirname(folder), 'draft-'));
  try {
    const image = join(draft, 'image');
    await run('supermin', ['--build', '--copy-kernel', '-f', 'ext2', '--host-cpu', machine(), parts, '-o', image], draft);
    await trimInitrd(join(image, 'initrd'));
    await unpackKernel(join(image, 'kernel'));
    await putFile(join(image, 'root'), '/init', INIT_SCRIPT, draft);
    await putFile(join(image, 'root'), RUNNER_PATH, RUNNER_SCRIPT, draft);
    await writeFile(join(image, SEAL), 'An appliance of libguestfs with an init of snapproof. It can be deleted at any time: it is made anew.\n');
    await rename(image, folder).catch(async (error) => {
      if (!(await exists(join(folder, SEAL)))) throw error;
    });
    return folder;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function trimInitrd(path: string): Promise<void> {
  const modules = readEntry(await readFile(path), 'modules');
  const kept = modules === null ? null : trimModules(modules);
  if (kept !== null) await appendFile(path, archiveOf('modules', kept));
}

/** The root file system lies there as an image: debugfs changes it without mounting it. */
async function putFile(root: string, path: string, text: string, draft: string): Promise<void> {
  const source = join(draft, 'file');
  await writeFile(source, text);
  await run('debugfs', ['-w', '-f', '-', root], draft, [`rm ${path}`, `write ${source} ${path}`, `sif ${path} mode 0100755`].join('\n'));
  const { stdout } = await run('debugfs', ['-R', `cat ${path}`, root], draft);
  if (stdout !== text) throw new LabError({ code: 'appliance.init', message: `${path} could not be put into the appliance ${root}` });
}

async function run(tool: string, args: string[], temporary: string, stdin?: string): Promise<ToolResult> {
  const result = await runTool({ tool, args, timeoutMs: BUILD_TIMEOUT_MS, env: { TMPDIR: temporary }, ...(stdin === undefined ? {} : { stdin }) });
  if (result.exitCode === 0) return result;
  throw new LabError({
    code: 'appliance.build',
    message: `the appliance cannot be built: ${tool} ${result.timedOut ? 'took too long' : `ended with code ${result.exitCode}`}: ${result.stderr.trim().slice(-1000)}`,
  });
}

async function removeStale(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!/^(draft|image)-/.test(name)) continue;
    const path = join(cache, name);
    const found = await stat(path).catch(() => null);
    if (found && Date.now() - found.mtimeMs > STALE_MS) await rm(path, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}
