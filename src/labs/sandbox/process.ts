/** One confined process: started, capped, and killed with everything below it. */
import { once } from 'node:events';
import { execa } from 'execa';
import { LabError } from '../../errors.js';
import { signalGroup } from '../../process/end-processes.js';
import { type Confinement, confinedCommand, type ServerRequest } from './arguments.js';
import { findTool } from './find-tool.js';
import { type CappedOutput, capOutput } from './output.js';

const DEFAULT_OUTPUT_BYTES = 4 * 2 ** 20;

export interface ConfinedExit {
  exitCode: number | null;
  signal: string | null;
}

/**
 * A running confined tool. Killing bubblewrap ends its process namespace, so no child of the tool survives `kill`.
 * The whole group is killed: while bubblewrap sets up, the first process in the namespace does not yet die with it.
 */
export interface ConfinedProcess {
  readonly pid: number;
  readonly stdout: CappedOutput;
  readonly stderr: CappedOutput;
  /** Resolves when the process and its streams have ended; never rejects. */
  readonly exited: Promise<ConfinedExit>;
  readonly running: boolean;
  /** Ends it and waits until it is gone. May be called twice. */
  kill(): Promise<void>;
}

/** Starts a tool confined. @throws MissingToolError, LabError when it cannot be started. */
export async function startConfined(confinement: Confinement, request: ServerRequest): Promise<ConfinedProcess> {
  const [program, ...args] = confinedCommand(confinement, request, findTool(request.tool));
  const input = request.stdin === undefined ? { stdin: 'ignore' as const } : { input: request.stdin };
  const child = execa(program, args, { ...input, reject: false, buffer: false, encoding: 'buffer', extendEnv: false, env: {}, detached: true });
  const { pid } = child;
  if (pid === undefined) {
    const result = await child;
    throw new LabError({ code: 'sandbox.start', message: `cannot start "${request.tool}" in the sandbox: ${result.shortMessage ?? 'no process'}` });
  }
  const limit = request.outputBytes ?? DEFAULT_OUTPUT_BYTES;
  const stdout = capOutput(child.stdout, limit);
  const stderr = capOutput(child.stderr, limit);
  if (request.onStderr) child.stderr.on('data', request.onStderr);
  let running = true;
  const exited = Promise.all([child, streamEnd(child.stdout), streamEnd(child.stderr)]).then(([result]) => {
    running = false;
    return { exitCode: result.exitCode ?? null, signal: result.signal ?? null };
  });
  const kill = async () => {
    if (running) signalGroup(pid, 'SIGKILL');
    await exited;
  };
  return {
    pid,
    stdout,
    stderr,
    exited,
    get running() {
      return running;
    },
    kill,
  };
}

async function streamEnd(stream: NodeJS.ReadableStream & { readableEnded?: boolean; destroyed?: boolean }): Promise<void> {
  if (stream.readableEnded || stream.destroyed) return;
  await once(stream, 'close').catch(() => undefined);
}
