// @ts-check
/** Installs missing Debian packages, and makes the host's kernel readable for an appliance started without root. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { confirm, EXIT_USAGE, run, SetupError, say } from './console.mjs';
import { findTool, installCommand, matchingFiles, missingPackages } from './debian.mjs';

/** While this file stands, installing PostgreSQL creates no cluster, and so starts no server. */
const NO_CLUSTER_FOLDER = '/etc/postgresql-common/createcluster.d';
const NO_CLUSTER_FILE = `${NO_CLUSTER_FOLDER}/snapproof.conf`;
/** While this program says 101, installing a package starts no server (Debian's invoke-rc.d policy). */
const START_POLICY = '/usr/sbin/policy-rc.d';

/**
 * @param {import('./debian.mjs').PackageGroup[]} groups
 * @param {boolean} assumeYes
 * @returns {Promise<string | null>} what was installed; null when nothing was missing
 */
export async function installPackages(groups, assumeYes) {
  const missing = missingPackages(groups);
  if (missing.length === 0) return null;
  say('These Debian packages are missing and will be installed:');
  for (const item of missing) say(`    ${item.name.padEnd(24)} ${item.neededFor}`);
  const names = missing.map((item) => item.name);
  const prefix = rightToInstall();
  if (prefix === null) {
    throw new SetupError(`You may not install packages here. Ask an administrator to run this, then start again:\n    ${installCommand(names)}`, EXIT_USAGE);
  }
  if (!(await confirm('Install them now?', assumeYes)))
    throw new SetupError(`Nothing was installed. To do it yourself:\n    ${installCommand(names)}`, EXIT_USAGE);
  await installNow(missing, prefix);
  const still = missingPackages(groups);
  if (still.length > 0) throw new SetupError(`After the installation these are still missing: ${still.map((item) => item.name).join(', ')}.`);
  return `${names.length} packages installed`;
}

/**
 * How commands get root's rights: nothing for root, sudo for others; null when neither.
 * @returns {string[] | null}
 */
function rightToInstall() {
  if (!findTool('apt-get')) throw new SetupError('This is not a Debian system: apt-get is missing. snapproof is set up for Debian 12.', EXIT_USAGE);
  if (process.getuid?.() === 0) return [];
  const sudo = findTool('sudo');
  if (!sudo) return null;
  const mayAsk = process.stdin.isTTY === true;
  return mayAsk || spawnSync(sudo, ['-n', 'true']).status === 0 ? [sudo] : null;
}

/**
 * @param {import('./debian.mjs').DebianPackage[]} missing
 * @param {string[]} prefix
 */
async function installNow(missing, prefix) {
  const names = missing.map((item) => item.name);
  const services = missing.flatMap((item) => item.services ?? []);
  const apt = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-y'];
  const cluster = names.some((name) => name.startsWith('postgresql')) && forbidCluster(prefix);
  const policy = services.length > 0 && forbidStarts(services, prefix);
  try {
    await must([...apt, 'update']);
    await must([...apt, '-o', 'Dpkg::Use-Pty=0', 'install', '--no-install-recommends', ...names]);
  } finally {
    if (cluster) runSilently([...prefix, 'rm', '-f', NO_CLUSTER_FILE]);
    if (policy) runSilently([...prefix, 'rm', '-f', START_POLICY]);
    for (const service of services) disable(service, prefix);
  }
}

/**
 * Where there is no systemd there is nothing to disable.
 * @param {string} service
 * @param {string[]} prefix
 */
function disable(service, prefix) {
  const [program, ...args] = [...prefix, 'systemctl', 'disable', '--now', service];
  spawnSync(program, args, { stdio: 'ignore' });
}

/**
 * Database servers are installed for the programs that tests start on their own: none is started, now or at the next boot.
 * A policy of the machine's own stays as it is.
 * @param {string[]} services
 * @param {string[]} prefix
 * @returns {boolean} whether the policy must be removed
 */
function forbidStarts(services, prefix) {
  say(`These are installed for their programs alone and not started as services: ${services.join(', ')}.`);
  if (existsSync(START_POLICY)) return false;
  runSilently([...prefix, 'tee', START_POLICY], '#!/bin/sh\nexit 101\n');
  runSilently([...prefix, 'chmod', '755', START_POLICY]);
  return true;
}

/**
 * PostgreSQL is installed for its programs alone: no cluster is created, no server started. The setting is removed afterwards.
 * @param {string[]} prefix
 * @returns {boolean} whether it must be undone
 */
function forbidCluster(prefix) {
  if (existsSync(NO_CLUSTER_FILE)) return true;
  say('PostgreSQL is installed for its programs alone: no cluster is created and no server is started.');
  runSilently([...prefix, 'mkdir', '-p', NO_CLUSTER_FOLDER]);
  runSilently([...prefix, 'tee', NO_CLUSTER_FILE], 'create_main_cluster = false\n');
  return true;
}

/** @param {string[]} command */
async function must(command) {
  const [program, ...args] = /** @type {[string, ...string[]]} */ (command);
  const code = await run(program, args, { quietOut: true });
  if (code !== 0) throw new SetupError(`This command failed with exit code ${code}; its message is above:\n    ${command.join(' ')}`);
}

/**
 * @param {string[]} command
 * @param {string} [input]
 */
function runSilently(command, input = '') {
  const [program, ...args] = /** @type {[string, ...string[]]} */ (command);
  const result = spawnSync(program, args, { input, stdio: ['pipe', 'ignore', 'inherit'] });
  if (result.status !== 0) throw new SetupError(`This command failed: ${command.join(' ')}`);
}

/**
 * The appliance boots a kernel of the host; one that only root may read stops everybody else.
 * Debian's kernels are readable; where one is not, it is made so, or the command is told.
 * @returns {Promise<string | null>}
 */
export async function makeKernelReadable() {
  const kernels = matchingFiles('/boot/vmlinuz-*');
  if (kernels.length === 0 || kernels.some(isReadable)) return null;
  const command = ['chmod', 'a+r', ...kernels];
  const prefix = rightToInstall();
  if (prefix === null)
    throw new SetupError(`The appliance must read a kernel in /boot and may not. Ask an administrator to run this:\n    sudo ${command.join(' ')}`, EXIT_USAGE);
  await must([...prefix, ...command]);
  return `made readable: ${kernels.join(', ')}`;
}

/** @param {string} path */
function isReadable(path) {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
