/** Reads what a screen shows where only its pixels are known, with Tesseract in the sandbox. Console fonts are read badly: good enough to name a state that other signals must agree with. */
import type { CheckContext } from '../../../src/check.js';
import { LabError, MissingToolError } from '../../../src/errors.js';

/** Null when it could not be read, or not so soon. @param png of the whole screen @param limitMs of wall time */
export type ReadPicture = (png: Uint8Array, limitMs?: number) => Promise<string | null>;

const TIMEOUT_MS = 60_000;
const OUTPUT_BYTES = 64 * 1024;
/** One block of text, as consoles are; without a dictionary of sentences nothing would be better. */
const ARGUMENTS = ['stdin', 'stdout', '--psm', '6', '-l', 'eng'];

/** Where Tesseract is missing, or does not get through in time, pictures stay unread: they are kept for people all the same. */
export function pictureReader({ labs, signal }: Pick<CheckContext<unknown>, 'labs' | 'signal'>): ReadPicture {
  let missing = false;
  return async (png, timeoutMs = TIMEOUT_MS) => {
    if (missing) return null;
    try {
      const request = { tool: 'tesseract', args: ARGUMENTS, stdin: png, timeoutMs, outputBytes: OUTPUT_BYTES, env: { OMP_THREAD_LIMIT: '1' } };
      const { exitCode, stdout } = await labs.sandbox.run(request, signal);
      return exitCode === 0 ? stdout : null;
    } catch (error) {
      if (signal.aborted || !(error instanceof LabError || error instanceof MissingToolError)) throw error;
      missing = error instanceof MissingToolError;
      return null;
    }
  };
}
