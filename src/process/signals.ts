/** Ctrl-C and friends: the first asks the run to stop and clean up, the second does not wait. */
import { EXIT, InterruptedError } from '../errors.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Aborts `controller` with an InterruptedError at the first signal. At the second the process ends at once with 130;
 * what it leaves is removed by the next run.
 * @returns a function that takes the handlers away
 */
export function installSignalHandlers(controller: AbortController): () => void {
  const handle = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort(
      new InterruptedError({
        code: 'interrupted',
        message: `Interrupted by ${signal}: cleaning up. The files of the restore point are untouched.`,
        advice: 'Once more ends it at once; the next run then removes what is left.',
      }),
    );
  };
  for (const signal of SIGNALS) process.on(signal, handle);
  return () => {
    for (const signal of SIGNALS) process.off(signal, handle);
  };
}
