// @ts-check
/** How the set-up speaks: one line per step with its time, questions only on a terminal, exit codes of the contract. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline/promises';

export const EXIT_USAGE = 2;
export const EXIT_TOOL = 4;

/** Ends the set-up with a message for the administrator and an exit code. */
export class SetupError extends Error {
  /**
   * @param {string} message
   * @param {number} exitCode
   */
  constructor(message, exitCode = EXIT_TOOL) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * The set-up's own words go to stderr: stdout belongs to results.
 * @param {string} text
 */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

/**
 * Runs one step and says how long it took; `work` gives null when nothing was to do.
 * @param {string} name
 * @param {() => Promise<string | null>} work
 */
export async function step(name, work) {
  const started = performance.now();
  const result = await work();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  say(result === null ? `- ${name}: nothing to do (${seconds} s)` : `- ${name}: ${result} (${seconds} s)`);
}

/**
 * Runs a program with this terminal. Resolves with its exit code; 128 + n when a signal ended it.
 * @param {string} program
 * @param {string[]} args
 * @param {{ env?: Record<string, string>, quietOut?: boolean, cwd?: string }} [options] `quietOut` sends its stdout to stderr
 * @returns {Promise<number>}
 */
export function run(program, args, options = {}) {
  const child = spawn(program, args, {
    cwd: options.cwd,
    stdio: ['inherit', options.quietOut ? 2 : 'inherit', 'inherit'],
    env: { ...process.env, ...options.env },
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? 128 + (signal === 'SIGINT' ? 2 : 15)));
  });
}

/**
 * Asks on a terminal; where there is none, or with `--yes`, the answer is yes.
 * @param {string} question
 * @param {boolean} assumeYes
 */
export async function confirm(question, assumeYes) {
  if (assumeYes || !process.stdin.isTTY || !process.stderr.isTTY) return true;
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await lines.question(`${question} [Y/n] `);
  lines.close();
  return /^(y|yes)?$/i.test(answer.trim());
}
