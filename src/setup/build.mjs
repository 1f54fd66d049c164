// @ts-check
/** The npm dependencies and the build: done only when what they are made from has changed. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run, SetupError } from './console.mjs';

/** The project's own folder. */
export const PROJECT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** `dist` holds the digest of the sources it was built from. */
const STAMP = join(PROJECT, 'dist', '.built-from');
const SOURCES = ['package-lock.json', 'package.json', 'tsconfig.json', 'src', 'checks', 'fixtures'];

/**
 * Installs the npm dependencies unless exactly those of package-lock.json are there and the native one loads.
 * @returns {Promise<string | null>}
 */
export async function installDependencies() {
  const installed = dependenciesMatch();
  if (installed && bindingLoads()) return null;
  const args = installed ? ['rebuild', 'better-sqlite3'] : ['ci', '--no-audit', '--no-fund'];
  const code = await run('npm', args, { cwd: PROJECT, quietOut: true, env: headersOfThisNode() });
  if (code !== 0) throw new SetupError(`npm ${args[0]} failed with exit code ${code}; its message is above.`);
  if (!bindingLoads()) throw new SetupError('The SQLite binding (better-sqlite3) does not load after the installation. Remove node_modules and start again.');
  return installed ? 'SQLite binding rebuilt for this Node' : 'installed';
}

/** npm writes its own list of what it installed as its last step: a broken installation has none. */
function dependenciesMatch() {
  const done = join(PROJECT, 'node_modules', '.package-lock.json');
  if (!existsSync(done)) return false;
  const wanted = readPackages(join(PROJECT, 'package-lock.json'));
  const present = readPackages(done);
  return Object.entries(wanted).every(([path, item]) => path === '' || item.optional || present[path]?.version === item.version);
}

/**
 * @param {string} lockFile
 * @returns {Record<string, { version?: string, optional?: boolean }>}
 */
function readPackages(lockFile) {
  return JSON.parse(readFileSync(lockFile, 'utf8')).packages;
}

function bindingLoads() {
  const script = "new (require('better-sqlite3'))(':memory:').close()";
  return spawnSync(process.execPath, ['-e', script], { cwd: PROJECT, stdio: 'ignore' }).status === 0;
}

/**
 * Where Node came with its headers, the binding is built against those instead of downloading them.
 * @returns {Record<string, string>}
 */
function headersOfThisNode() {
  const folder = dirname(dirname(process.execPath));
  const header = join(folder, 'include', 'node', 'node_version.h');
  if (!existsSync(header)) return {};
  const major = /#define NODE_MAJOR_VERSION (\d+)/.exec(readFileSync(header, 'utf8'))?.[1];
  return major === process.versions.node.split('.')[0] ? { npm_config_nodedir: folder } : {};
}

/**
 * Builds `dist` unless it was built from these very sources.
 * @returns {Promise<string | null>}
 */
export async function build() {
  const digest = digestOfSources();
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === digest) return null;
  rmSync(join(PROJECT, 'dist'), { recursive: true, force: true });
  const code = await run('npm', ['run', '--silent', 'build'], { cwd: PROJECT, quietOut: true });
  if (code !== 0) throw new SetupError(`The build failed with exit code ${code}; the compiler's messages are above.`);
  writeFileSync(STAMP, digest);
  return 'built';
}

function digestOfSources() {
  const hash = createHash('sha256');
  for (const path of SOURCES.flatMap((name) => filesBelow(join(PROJECT, name)))) {
    if (path.endsWith('.test.ts')) continue;
    hash
      .update(`${path.slice(PROJECT.length)}\0`)
      .update(readFileSync(path))
      .update('\0');
  }
  return hash.digest('hex');
}

/**
 * @param {string} path
 * @returns {string[]}
 */
function filesBelow(path) {
  if (!existsSync(path)) return [];
  const entries = readdirSyncOrNull(path);
  return entries === null ? [path] : entries.sort().flatMap((name) => filesBelow(join(path, name)));
}

/** @param {string} path */
function readdirSyncOrNull(path) {
  try {
    return readdirSync(path);
  } catch {
    return null;
  }
}
