/** Waits until a confined server takes connections at its Unix socket. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from '../../errors.js';
import { isListening } from '../../process/unix-socket.js';
import type { ConfinedProcess } from './process.js';

const POLL_MS = 20;

/** @param options `what`: as it begins a sentence, `the block server`. @throws LabError with the server's own words when it ends or is late */
export async function awaitSocket(
  path: string,
  server: Pick<ConfinedProcess, 'running' | 'stderr'>,
  options: { what: string; timeoutMs: number },
  signal: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + options.timeoutMs;
  while (!(await isListening(path))) {
    signal.throwIfAborted();
    if (!server.running) throw new LabError({ code: 'exposure.server', message: `${options.what} ended at once: ${server.stderr.text().trim()}` });
    if (Date.now() > deadline) throw new LabError({ code: 'exposure.timeout', message: `${options.what} did not start within ${options.timeoutMs / 1000} s` });
    await sleep(POLL_MS);
  }
}
