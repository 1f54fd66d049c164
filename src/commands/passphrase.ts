/** Where the passphrase of a key comes from: a file that the environment names, else a person at a terminal. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { UsageError } from '../errors.js';
import type { Passphrase } from '../evidence/index.js';
import { visible } from '../reporters/escape.js';
import type { TextStream } from './streams.js';

export const PASSPHRASE_VARIABLE = 'SNAPPROOF_KEY_PASSPHRASE_FILE';

const MAX_FILE_BYTES = 4096;
const INTERRUPT = '\u0003';
const END = '\u0004';
const ERASE = new Set(['\u007f', '\b']);

/** What a person types at; a terminal, or nobody is there. */
export type Keyboard = NodeJS.ReadableStream & { isTTY?: boolean; setRawMode?(raw: boolean): unknown };

export function passphraseFrom(env: NodeJS.ProcessEnv, keyboard: Keyboard, shown: TextStream): Passphrase {
  return async (what) => {
    const file = env[PASSPHRASE_VARIABLE];
    if (file) return passphraseFile(file);
    return keyboard.isTTY && shown.isTTY ? ask(`Passphrase of ${visible(what)}: `, keyboard, shown) : null;
  };
}

/** Asked twice, so that a slip does not lock the key for ever. @throws UsageError */
export async function newPassphrase(passphrase: Passphrase): Promise<string> {
  const first = await passphrase('the new key');
  if (first === null)
    throw new UsageError({
      code: 'usage.passphrase',
      message: 'There is nobody to ask for a passphrase.',
      advice: `Name a file that holds it in ${PASSPHRASE_VARIABLE}.`,
    });
  if (first === '') throw new UsageError({ code: 'usage.passphrase', message: 'The passphrase is empty. No key was made.' });
  if ((await passphrase('the new key, once more')) === first) return first;
  throw new UsageError({ code: 'usage.passphrase', message: 'The two passphrases differ. No key was made.' });
}

/** Its first line. */
function passphraseFile(path: string): string {
  const file = opened(path);
  try {
    const { mode, size } = fstatSync(file);
    if ((mode & 0o077) !== 0) throw unusable(path, 'others may read it', `chmod 600 '${path}'`);
    if (size > MAX_FILE_BYTES) throw unusable(path, 'it is too large');
    return (readFileSync(file, 'utf8').split('\n')[0] ?? '').replace(/\r$/, '');
  } finally {
    closeSync(file);
  }
}

function opened(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw unusable(path, (cause as Error).message);
  }
}

function unusable(path: string, why: string, advice = `See ${PASSPHRASE_VARIABLE}.`): UsageError {
  return new UsageError({ code: 'usage.passphrase', message: `The file of the passphrase, ${path}, cannot be used: ${why}.`, advice });
}

/** Shows nothing of what is typed. Null when the person gives up. */
function ask(question: string, keyboard: Keyboard, shown: TextStream): Promise<string | null> {
  shown.write(question);
  keyboard.setRawMode?.(true);
  return new Promise((resolve) => {
    let typed = '';
    let finished = false;
    const finish = (answer: string | null): void => {
      finished = true;
      keyboard.off('data', take);
      keyboard.setRawMode?.(false);
      keyboard.pause();
      shown.write('\n');
      resolve(answer);
    };
    const takeOne = (character: string): void => {
      if (character === '\r' || character === '\n') finish(typed);
      else if (character === INTERRUPT || character === END) finish(null);
      else typed = ERASE.has(character) ? [...typed].slice(0, -1).join('') : typed + character;
    };
    const take = (chunk: Buffer | string): void => {
      for (const character of String(chunk)) if (!finished) takeOne(character);
    };
    keyboard.on('data', take);
    keyboard.resume();
  });
}
