#!/usr/bin/env node
// @ts-check
/**
 * Makes a bare Debian ready and then does what it was asked:
 *   node src/setup/prepare.mjs [--yes]                only prepare
 *   node src/setup/prepare.mjs start [--yes] [...]    verify the sample; further arguments go to `snapproof verify`
 *   node src/setup/prepare.mjs test [--yes] [...]     run all tests; further arguments go to vitest
 *   node src/setup/prepare.mjs measure [--yes]        only prepare, also what benchmarks and campaigns compare with
 * What is already there is left alone, so a second run starts at once.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, installDependencies, PROJECT } from './build.mjs';
import { EXIT_TOOL, EXIT_USAGE, run, SetupError, say, step } from './console.mjs';
import { installPackages, makeKernelReadable } from './install.mjs';
import { runTests } from './tests.mjs';

/** @type {Record<string, import('./debian.mjs').PackageGroup[]>} */
const GROUPS = {
  prepare: ['build', 'run'],
  start: ['build', 'run', 'sample'],
  test: ['build', 'run', 'sample', 'test'],
  measure: ['build', 'run', 'sample', 'test'],
};

/** @param {string[]} argv */
async function main(argv) {
  const assumeYes = argv.includes('--yes');
  const [verb = 'prepare', ...args] = argv.filter((arg) => arg !== '--yes');
  const groups = GROUPS[verb];
  if (!groups) throw new SetupError(`Unknown: ${verb}. Say one of: ${Object.keys(GROUPS).join(', ')}.`, EXIT_USAGE);
  requireNode();
  await step('Debian packages', () => installPackages(groups, assumeYes));
  await step('kernel for the appliance', makeKernelReadable);
  await step('npm dependencies', installDependencies);
  await step('build', build);
  if (verb === 'start') return start(args);
  if (verb === 'test') return runTests(args, await applianceEnvironment());
  return 0;
}

function requireNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= 20) return;
  throw new SetupError(`This is Node ${process.versions.node}; snapproof needs Node 20 or newer. See https://nodejs.org/en/download.`, EXIT_USAGE);
}

/**
 * Builds the sample where it is not cached, and verifies it.
 * @param {string[]} args
 * @returns {Promise<number>} the exit code of `verify`
 */
async function start(args) {
  let restorePoint = '';
  await step('sample guest', async () => {
    const { ensureSample } = await built('fixtures/sample.js');
    const sample = await ensureSample({ progress: say });
    restorePoint = sample.restorePoints.paused;
    return sample.builtNow ? `built: ${sample.folder}` : `found: ${sample.folder}`;
  });
  say(`\nsnapproof verify ${restorePoint} ${args.join(' ')}`.trimEnd());
  return run(process.execPath, [join(PROJECT, 'dist', 'src', 'cli.js'), 'verify', restorePoint, ...args]);
}

/**
 * Errors of the project's own classes bring their advice; any other is a defect, and shows where it happened.
 * @param {unknown} error
 */
function messageOf(error) {
  if (error instanceof SetupError) return error.message;
  if (error instanceof Error && 'advice' in error) return `${error.message}\n${error.advice}`;
  return `The set-up failed: ${error instanceof Error ? error.stack : error}`;
}

/** @returns {Promise<Record<string, string>>} */
async function applianceEnvironment() {
  const acceleration = await built('src/labs/acceleration.js');
  return acceleration.applianceEnvironment();
}

/** @param {string} module below `dist` */
function built(module) {
  return import(pathToFileURL(join(PROJECT, 'dist', module)).href);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  say(`\n${messageOf(error)}`);
  process.exitCode = error instanceof SetupError ? error.exitCode : EXIT_TOOL;
}
