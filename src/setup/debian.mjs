// @ts-check
/**
 * The Debian packages snapproof needs: which are missing, and the command that installs them.
 * Plain JavaScript on Node's own modules alone, because `prepare.mjs` uses it before any dependency is installed or built.
 */
import { accessSync, constants, existsSync, readdirSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import list from './packages.json' with { type: 'json' };

/**
 * @typedef {'build' | 'run' | 'sample' | 'test'} PackageGroup
 * build: npm's native dependency; run: `verify`; sample: building the sample guest; test: the test suite.
 *
 * @typedef {object} DebianPackage
 * @property {string} name
 * @property {string} neededFor
 * @property {string[]} groups
 * @property {string[]} tools programs that prove it present
 * @property {string[]} [files] absolute paths that prove it present; `*` stands for any text within one name
 * @property {string[]} [services] what it would start as a service: it is installed for its programs alone
 * @property {boolean} [optional] without it something is listed as untested, but `verify` works
 */

/** @type {DebianPackage[]} */
export const packages = list.packages;

/** Debian keeps administrators' tools out of an ordinary user's PATH. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/**
 * The search path for host tools: the user's, then the system's own folders.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string}
 */
export function toolPath(env = process.env) {
  const own = (env.PATH ?? '').split(delimiter).filter((folder) => folder.startsWith('/'));
  return [...new Set([...own, ...SYSTEM_FOLDERS])].join(delimiter);
}

/**
 * Absolute path of a program, or null when there is none.
 * @param {string} tool name, or absolute path
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string | null}
 */
export function findTool(tool, env = process.env) {
  const candidates = tool.startsWith('/')
    ? [tool]
    : toolPath(env)
        .split(delimiter)
        .map((folder) => join(folder, tool));
  return candidates.find(isProgram) ?? null;
}

/**
 * What is missing of a package: names of programs and files; empty when it is present.
 * @param {DebianPackage} item
 * @returns {string[]}
 */
export function missingParts(item) {
  return [...item.tools.filter((tool) => !findTool(tool)), ...(item.files ?? []).filter((pattern) => matchingFiles(pattern).length === 0)];
}

/**
 * Packages of the groups that are not here.
 * @param {PackageGroup[]} groups
 * @returns {DebianPackage[]}
 */
export function missingPackages(groups) {
  return packages.filter((item) => item.groups.some((group) => groups.some((wanted) => wanted === group)) && missingParts(item).length > 0);
}

/**
 * The package that brings a program (by name or absolute path), or null when the list does not know it.
 * @param {string} tool
 * @returns {DebianPackage | null}
 */
export function packageOf(tool) {
  const name = tool.slice(tool.lastIndexOf('/') + 1);
  return packages.find((item) => item.tools.includes(name) || item.files?.some((file) => file === tool || file.endsWith(`/${name}`))) ?? null;
}

/**
 * The command an administrator types to install packages.
 * @param {string[]} names
 * @returns {string}
 */
export function installCommand(names) {
  return `sudo apt-get update && sudo apt-get install --no-install-recommends ${names.join(' ')}`;
}

/**
 * Files that fit a pattern whose names may hold `*`, sorted.
 * @param {string} pattern absolute
 * @returns {string[]}
 */
export function matchingFiles(pattern) {
  const parent = dirname(pattern);
  if (parent === pattern) return [pattern];
  const name = pattern.slice(parent === '/' ? 1 : parent.length + 1);
  return matchingFiles(parent).flatMap((folder) => entriesLike(folder, name));
}

/**
 * @param {string} folder
 * @param {string} name
 * @returns {string[]}
 */
function entriesLike(folder, name) {
  const pattern = new RegExp(`^${name.split('*').map(escapePattern).join('.*')}$`);
  const names = name.includes('*') ? readNames(folder).filter((entry) => pattern.test(entry)) : [name];
  return names.map((entry) => join(folder, entry)).filter((path) => existsSync(path));
}

/** @param {string} text */
function escapePattern(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** @param {string} folder */
function readNames(folder) {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

/** @param {string} path */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
