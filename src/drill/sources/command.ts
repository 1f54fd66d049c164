/** A command of the policy that says where restore points are: argv without a shell, a time limit, one JSON value a line. */
import { isAbsolute, resolve } from 'node:path';
import { UsageError } from '../../errors.js';
import { runTool } from '../../process/run-tool.js';
import type { Candidate, Listing } from './candidate.js';
import { factsOf } from './manifest-facts.js';
import { candidateOfPath } from './path.js';
import type { NameFacts } from './template.js';

const MAX_OUTPUT_BYTES = 64 * 2 ** 20;

export interface CommandSource {
  argv: string[];
  timeoutSeconds: number;
  cwd: string;
}

/** @throws UsageError when it fails or prints something else: a list that may lack something is no list. */
export async function listCommand(source: CommandSource, signal: AbortSignal): Promise<Listing> {
  const [tool = '', ...args] = source.argv;
  const name = `the command "${source.argv.join(' ').slice(0, 200)}"`;
  const program = isAbsolute(tool) || !tool.includes('/') ? tool : resolve(source.cwd, tool);
  const result = await runTool({ tool: program, args, timeoutMs: source.timeoutSeconds * 1000, signal, cwd: source.cwd, outputBytes: MAX_OUTPUT_BYTES });
  if (result.timedOut) throw failed(`${name} had not finished after ${source.timeoutSeconds} s`);
  if (result.exitCode !== 0) throw failed(`${name} ended with exit code ${result.exitCode ?? 'none'}: ${result.stderr.trim().slice(-500)}`);
  if (result.truncated) throw failed(`${name} printed more than ${MAX_OUTPUT_BYTES / 2 ** 20} MiB`);
  const candidates: Candidate[] = [];
  for (const [index, line] of result.stdout.split('\n').entries()) {
    if (line.trim() !== '') candidates.push(await candidateOfLine(line, `${name}, line ${index + 1} of its output`, source.cwd));
  }
  return { candidates, notes: candidates.length === 0 ? [`${name} named no restore point.`] : [] };
}

async function candidateOfLine(line: string, where: string, cwd: string): Promise<Candidate> {
  const { path, facts } = parseLine(line, where);
  return candidateOfPath(resolve(cwd, path), facts);
}

/** @throws UsageError */
export function parseLine(line: string, where: string): { path: string; facts: NameFacts } {
  const value = jsonOf(line, where);
  if (typeof value === 'string') return { path: value, facts: {} };
  const path = typeof value === 'object' && value !== null ? (value as { path?: unknown }).path : undefined;
  if (typeof path === 'string' && path !== '') return { path, facts: factsOf(value) };
  throw failed(`${where}: neither a path nor {"path": ...}: ${line.slice(0, 100)}`);
}

function jsonOf(line: string, where: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw failed(`${where} is no JSON: ${line.slice(0, 100)}`, cause);
  }
}

function failed(message: string, cause?: unknown): UsageError {
  return new UsageError({ code: 'drill-source.command', message, ...(cause === undefined ? {} : { cause }) });
}
