/** Runs one host tool: its own process group, a time limit, capped output, and an error that says how to install it. */
import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { LabError, MissingToolError } from '../errors.js';
import { findTool, installCommand, packageOf, toolPath } from '../setup/debian.mjs';
import { signalGroup } from './end-processes.js';
import type { WorkFolder } from './work-folder.js';

export interface ToolRequest {
  /** Program name or absolute path; never a shell. */
  tool: string;
  args: string[];
  timeoutMs: number;
  signal?: AbortSignal;
  cwd?: string;
  /** Added to the environment of this process. */
  env?: Record<string, string>;
  stdin?: string | Uint8Array;
  /** Kept of each stream, default 4 MiB; the rest is dropped and `truncated` is set. */
  outputBytes?: number;
  /** The run's folder: its TMPDIR is used, and the child is recorded there so that a later run can end it. */
  workFolder?: Pick<WorkFolder, 'environment' | 'recordChild'>;
}

export interface ToolResult {
  /** Null when a signal ended it. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
  timedOut: boolean;
  truncated: boolean;
  durationMs: number;
}

const DEFAULT_OUTPUT_BYTES = 4 * 1024 * 1024;
const KILL_AFTER_MS = 2_000;

/**
 * Resolves whatever the tool's exit code is: it is for the caller to judge.
 * @throws MissingToolError when the program is not there
 * @throws the signal's reason when aborted
 */
export async function runTool(request: ToolRequest): Promise<ToolResult> {
  request.signal?.throwIfAborted();
  const program = requireTool(request.tool);
  const started = performance.now();
  const child = execa(program, request.args, {
    ...(request.cwd === undefined ? {} : { cwd: request.cwd }),
    env: { PATH: toolPath(), LC_ALL: 'C.UTF-8', ...request.workFolder?.environment(), ...request.env },
    ...(request.stdin === undefined ? { stdin: 'ignore' as const } : { input: request.stdin }),
    // A group of its own: all of it can be ended, and Ctrl-C on the terminal reaches snapproof alone, which then ends it in order.
    detached: true,
    cleanup: false,
    reject: false,
    buffer: false,
  });
  if (child.pid !== undefined) request.workFolder?.recordChild(child.pid);
  const stdout = collect(child.stdout, request.outputBytes);
  const stderr = collect(child.stderr, request.outputBytes);
  const timer = limit(child, request);
  const result = await child;
  timer.stop();
  if (child.pid === undefined) throw new LabError({ code: 'process.start', message: `${request.tool} could not be started: ${result.shortMessage}` });
  request.signal?.throwIfAborted();
  return {
    exitCode: result.exitCode ?? null,
    stdout: stdout.text(),
    stderr: stderr.text(),
    timedOut: timer.timedOut(),
    truncated: stdout.truncated() || stderr.truncated(),
    durationMs: performance.now() - started,
  };
}

/**
 * Absolute path of a tool.
 * @throws MissingToolError naming the Debian package that brings it
 */
export function requireTool(tool: string): string {
  const program = findTool(tool);
  if (program) return program;
  const item = packageOf(tool);
  throw new MissingToolError({
    code: 'tool.missing',
    message: `The program ${tool} is not installed${item ? ` (needed for ${item.neededFor})` : ''}.`,
    advice: item ? `Install it with: ${installCommand([item.name])}` : `Install the Debian package that brings ${tool}.`,
  });
}

/** Ends the group at the time limit or on abort: SIGTERM, then SIGKILL. */
function limit(
  child: { pid?: number | undefined; stdout: Readable | null; stderr: Readable | null },
  request: ToolRequest,
): { stop(): void; timedOut(): boolean } {
  const { pid } = child;
  let timedOut = false;
  let killer: NodeJS.Timeout | undefined;
  const end = () => {
    if (pid === undefined || killer) return;
    signalGroup(pid, 'SIGTERM');
    killer = setTimeout(() => {
      signalGroup(pid, 'SIGKILL');
      // A descendant that left the group may still hold the pipes: it is not waited for.
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, KILL_AFTER_MS);
  };
  const timer = setTimeout(() => {
    timedOut = true;
    end();
  }, request.timeoutMs);
  request.signal?.addEventListener('abort', end, { once: true });
  return {
    stop() {
      clearTimeout(timer);
      clearTimeout(killer);
      request.signal?.removeEventListener('abort', end);
      // What outlived its leader within the group is ended too: nothing of a tool stays behind.
      if (killer && pid !== undefined) signalGroup(pid, 'SIGKILL');
    },
    timedOut: () => timedOut,
  };
}

function collect(stream: NodeJS.ReadableStream | null, limitBytes = DEFAULT_OUTPUT_BYTES): { text(): string; truncated(): boolean } {
  const chunks: Buffer[] = [];
  let kept = 0;
  let truncated = false;
  stream?.on('data', (chunk: Buffer | string) => {
    const bytes = Buffer.from(chunk as Buffer).subarray(0, limitBytes - kept);
    if (bytes.length < chunk.length) truncated = true;
    if (bytes.length > 0) chunks.push(bytes);
    kept += bytes.length;
  });
  return { text: () => Buffer.concat(chunks).toString('utf8'), truncated: () => truncated };
}
