// @ts-check
/** Runs lint, types and the three tiers of tests, and ends with one line that counts them. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { PROJECT } from './build.mjs';
import { run, say } from './console.mjs';

const TIERS = ['unit', 'lab', 'machine'];

/**
 * @typedef {{ passed: number, failed: number, skipped: string[] }} Tally
 * @typedef {{ status: string, fullName: string, meta?: { skipReason?: string } }} TestReport
 * @typedef {{ name: string, status: string, message: string, assertionResults: TestReport[] }} FileReport
 */

/**
 * @param {string[]} args passed on to vitest
 * @param {Record<string, string>} env for the tests
 * @returns {Promise<number>} exit code: 0 only when tests ran and nothing failed
 */
export async function runTests(args, env) {
  const lint = await run('npm', ['run', '--silent', 'lint'], { cwd: PROJECT });
  const folder = mkdtempSync(join(tmpdir(), 'snapproof-tests-'));
  /** @type {Tally[]} */
  const tallies = [];
  try {
    for (const tier of TIERS) tallies.push(await runTier(tier, args, env, join(folder, `${tier}.json`)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return report(lint === 0, tallies);
}

/**
 * @param {string} tier
 * @param {string[]} args
 * @param {Record<string, string>} env
 * @param {string} outputFile
 * @returns {Promise<Tally>}
 */
async function runTier(tier, args, env, outputFile) {
  say(`\n== ${tier} tests`);
  const vitest = join(PROJECT, 'node_modules', 'vitest', 'vitest.mjs');
  const options = ['run', '--project', tier, '--passWithNoTests', '--reporter=default', '--reporter=json', `--outputFile.json=${outputFile}`];
  const code = await run(process.execPath, [vitest, ...options, ...args], { cwd: PROJECT, env });
  const tally = existsSync(outputFile) ? tallyOf(JSON.parse(readFileSync(outputFile, 'utf8'))) : { passed: 0, failed: 0, skipped: [] };
  // Errors outside any test (an unhandled rejection, a crash of the runner itself) show in the exit code alone.
  if (code !== 0 && tally.failed === 0) tally.failed = 1;
  return tally;
}

/**
 * Counts vitest's JSON report. A test file that fails without a failed test (it could not be loaded) counts as one failure.
 * @param {{ testResults: FileReport[] }} report
 * @returns {Tally}
 */
export function tallyOf(report) {
  /** @type {Tally} */
  const tally = { passed: 0, failed: 0, skipped: [] };
  for (const file of report.testResults) {
    const failed = file.assertionResults.filter((test) => test.status === 'failed').length;
    tally.passed += file.assertionResults.filter((test) => test.status === 'passed').length;
    tally.failed += failed || (file.status === 'failed' ? 1 : 0);
    const others = file.assertionResults.filter((test) => test.status !== 'failed' && test.status !== 'passed');
    tally.skipped.push(...others.map((test) => `${relative(PROJECT, file.name)}: ${test.fullName.trim()}${reasonOf(test)}`));
  }
  return tally;
}

/** @param {TestReport} test */
function reasonOf(test) {
  return test.meta?.skipReason ? ` (${test.meta.skipReason})` : '';
}

/**
 * @param {boolean} lintClean
 * @param {Tally[]} tallies
 * @returns {number}
 */
function report(lintClean, tallies) {
  const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0);
  const failed = tallies.reduce((sum, tally) => sum + tally.failed, 0);
  const skipped = tallies.flatMap((tally) => tally.skipped);
  console.log('');
  for (const name of skipped) console.log(`skipped: ${name}`);
  console.log(lintClean ? 'Lint and types: clean.' : 'Lint or types: FAILED; the messages are at the top.');
  if (passed + failed === 0) console.log('No test ran: that is a failure.');
  console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
  return lintClean && failed === 0 && passed > 0 ? 0 : 1;
}
